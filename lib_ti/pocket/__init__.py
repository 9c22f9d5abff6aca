"""A small, trained Stable Diffusion 1, another of the family SDXL, and the world of drawings that they know.

Importing the package does no work; `world` and `captions` need Pillow and numpy, the rest torch, diffusers and
transformers. How the weights in `weights/` were made is in ``tools/pocket``.
"""

from pathlib import Path

CHECKPOINT = Path(__file__).parent / "weights" / "pocket.safetensors"
"""The pocket model: the checkpoint of commands that name none."""
XL_CHECKPOINT = CHECKPOINT.with_name("pocket-xl.safetensors")
"""Pocket-xl, which knows the same world; its autoencoder is the pocket model's."""
CHECKPOINTS = {"sd1": CHECKPOINT, "sdxl": XL_CHECKPOINT}
"""By family."""
