"""Giving memory back at once: to a program that shares the device with us."""

from __future__ import annotations

import gc
import traceback

import torch


def drop_locals(error: BaseException) -> None:
    """Forget the local variables of the functions that an error ended, which hold what they computed."""
    seen: set[int] = set()
    step: BaseException | None = error
    while step is not None and id(step) not in seen:
        seen.add(id(step))
        traceback.clear_frames(step.__traceback__)
        step = step.__cause__ or step.__context__


def empty_caches(device: torch.device) -> None:
    """Collect what nobody refers to, and give it back to the device."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
