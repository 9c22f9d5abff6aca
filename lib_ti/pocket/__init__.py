"""A small Stable Diffusion 1 that is really trained, and the drawn world it knows.

Importing the package does no work; `world` and `captions` need Pillow and numpy, the rest torch, diffusers and
transformers. How the weights in `weights/` were made is in ``tools/pocket``.
"""

from pathlib import Path

CHECKPOINT = Path(__file__).parent / "weights" / "pocket.safetensors"
"""The pocket model, which commands use where no checkpoint is named."""
