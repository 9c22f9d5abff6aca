"""The classes of ``diffusers`` that are used here, imported without torch's compiler and scipy.

``diffusers`` imports the former for a decorator and the latter for a noise schedule that is not used; each takes about
as long as torch itself. It works without them, as where they are not installed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from diffusers.utils import import_utils


@contextmanager
def _without_compiler_and_scipy() -> Iterator[None]:
    """Hide both within it, unless they are loaded already."""
    hidden = "torch._dynamo" not in sys.modules
    scipy = import_utils._scipy_available
    if hidden:
        sys.modules["torch._dynamo"] = None  # type: ignore[assignment]
    import_utils._scipy_available = scipy and "scipy.stats" in sys.modules
    try:
        yield
    finally:
        import_utils._scipy_available = scipy
        if hidden:
            del sys.modules["torch._dynamo"]


with _without_compiler_and_scipy():
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        DPMSolverMultistepScheduler,
        EulerAncestralDiscreteScheduler,
        EulerDiscreteScheduler,
        HeunDiscreteScheduler,
        LCMScheduler,
        UNet2DConditionModel,
    )

__all__ = [
    "AutoencoderKL",
    "DDIMScheduler",
    "DPMSolverMultistepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "LCMScheduler",
    "UNet2DConditionModel",
]
