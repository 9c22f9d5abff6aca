"""Settings that say "every N steps"."""


def is_due(step: int, every: int) -> bool:
    """Whether something that is done every so many steps is due after a step; never for 0."""
    return every > 0 and step % every == 0
