"""Says in which job the models were taken off the device."""

from modules import shared

unloaded: list[str] = []


def unload_all_models():
    unloaded.append(shared.state.job)


def soft_empty_cache():
    pass
