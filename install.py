"""Run by the WebUI at each start: says what is missing, and installs the one optional package, patchmatch-cython.

It is a pinned wheel of 1 MB without dependencies, with which Remove fills in texture. Everything works without it.
"""

import subprocess
import sys
from importlib.util import find_spec

NEEDED = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "PIL", "cv2", "gradio")
PACKAGE = "patchmatch-cython==0.2.1"
# Without retries, so that a WebUI without a network starts at once.
INSTALL = [
    *(sys.executable, "-m", "pip", "install", "--no-deps", "--only-binary=:all:", "--no-input"),
    *("--disable-pip-version-check", "--retries=0", "--timeout=5", PACKAGE),
]
LONGEST = 60

missing = [name for name in NEEDED if find_spec(name) is None]
if missing:
    print(f"Textual Inversion: the WebUI's Python lacks {', '.join(missing)}; reinstall the WebUI's requirements.")
if find_spec("patchmatch_cython") is None:
    try:
        subprocess.run(INSTALL, check=True, capture_output=True, timeout=LONGEST)
    except (OSError, subprocess.SubprocessError):
        print(
            f"Textual Inversion: the optional {PACKAGE} could not be installed (no network, or no wheel for this "
            "Python); Remove fills with OpenCV, and everything else works without it."
        )
    else:
        print(f"Textual Inversion: installed {PACKAGE}, with which Remove fills in texture.")
