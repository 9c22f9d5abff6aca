"""Images as the captioner BLIP sees them, the same for all hosts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's training images, used by all BLIP models."""


def pixels(images: Sequence[Image.Image], side: int) -> torch.Tensor:
    """Return RGB images of any sizes as (B, 3, side, side), squeezed to squares, normalized as CLIP's."""
    small = [image.resize((side, side), Image.Resampling.BICUBIC) for image in images]
    levels = torch.from_numpy(np.stack([np.asarray(one, dtype=np.float32) for one in small]))
    return ((levels / 255 - torch.tensor(_MEAN)) / torch.tensor(_STD)).permute(0, 3, 1, 2).contiguous()
