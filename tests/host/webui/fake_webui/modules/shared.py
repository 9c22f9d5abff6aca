"""The WebUI's state, settings and command line."""

from types import SimpleNamespace

from modules.shared_state import State

state = State()
demo = SimpleNamespace(is_running=True, server=None)
opts = SimpleNamespace(
    data={"sd_model_checkpoint": "chosen.safetensors"},
    ti_log_directory="textual_inversion",
    ti_file_format="safetensors",
    ti_seconds=2,
    ti_folders="",
    CLIP_stop_at_last_layers=1,
)
cmd_opts = SimpleNamespace(
    embeddings_dir="embeddings", textual_inversion_templates_dir="templates", hide_ui_dir_config=False
)
