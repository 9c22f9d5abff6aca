"""The classes of ``diffusers`` that are used here, imported without torch's compiler and scipy.

``diffusers`` imports the former for a decorator and the latter for a noise schedule that is not used; each takes about
as long as torch itself. It works without them, as where they are not installed. Newer versions of ``transformers`` need
the compiler; with these, both are imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import diffusers
from diffusers.utils import import_utils

__all__ = [
    "AutoencoderKL",
    "UNet2DConditionModel",
]


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


def _load() -> None:
    for name in __all__:
        getattr(diffusers, name)


try:
    with _without_compiler_and_scipy():
        _load()
except (ImportError, RuntimeError):  # newer versions of transformers need the compiler
    _load()

from diffusers import (  # noqa: E402  # they are loaded by now
    AutoencoderKL,
    UNet2DConditionModel,
)
