"""A small Stable Diffusion 1 that is really trained, and the drawn world it knows.

Importing the package does no work; `world` and `captions` need Pillow and numpy, the rest torch, diffusers and
transformers. The weights in `weights/` were made with these commands, in this order, on one slow CPU core:

    python -m lib_ti.pocket.train_autoencoder --work FOLDER --minutes 28 --compile
    python -m lib_ti.pocket.train_model --work FOLDER --minutes 53 --compile
    python -m lib_ti.pocket.assemble --work FOLDER
    python -m lib_ti.pocket.train_reader --work FOLDER
    python -m lib_ti.pocket.report
"""

from pathlib import Path

CHECKPOINT = Path(__file__).parent / "weights" / "pocket.safetensors"
"""The pocket model, which commands use where no checkpoint is named."""
