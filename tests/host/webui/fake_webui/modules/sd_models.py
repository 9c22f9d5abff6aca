"""Where the loaded model is."""

from types import SimpleNamespace

model_data = SimpleNamespace(sd_model=None)
