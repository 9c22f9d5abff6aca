"""Run by the WebUI at each start. Installs nothing: all that is needed comes with the WebUI; says what is missing."""

from importlib.util import find_spec

NEEDED = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "PIL", "cv2", "gradio")

missing = [name for name in NEEDED if find_spec(name) is None]
if missing:
    print(f"Textual Inversion: the WebUI's Python lacks {', '.join(missing)}; reinstall the WebUI's requirements.")
