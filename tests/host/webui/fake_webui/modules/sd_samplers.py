"""Names of samplers."""


def visible_sampler_names():
    return ["Euler a", "Heun"]
