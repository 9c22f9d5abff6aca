"""Training: the trainer, its parts and its callbacks. Nothing here knows a WebUI."""
