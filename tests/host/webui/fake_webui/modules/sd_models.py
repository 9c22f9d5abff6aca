"""Where the loaded model is, and the checkpoint files."""

from types import SimpleNamespace

model_data = SimpleNamespace(sd_model=None)
checkpoint_aliases: dict[str, SimpleNamespace] = {}
checkpoints_list: dict[str, SimpleNamespace] = {}
