"""A small, trained Stable Diffusion 1, and the world of drawings that it knows.

Importing the package does no work; `world` and `captions` need Pillow and numpy, the rest torch, diffusers and
transformers. How the weights in `weights/` were made is in ``tools/pocket``.
"""

from pathlib import Path

CHECKPOINT = Path(__file__).parent / "weights" / "pocket.safetensors"
"""The pocket model: the checkpoint of commands that name none."""
