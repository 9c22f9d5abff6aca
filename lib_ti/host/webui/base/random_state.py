"""The global random states of the WebUI's process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """Restore the global random states of torch, numpy and Python afterwards."""
    cpu, cuda = torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    numpy, python = np.random.get_state(), random.getstate()  # noqa: NPY002 - the global state is what is preserved
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
        np.random.set_state(numpy)  # noqa: NPY002
        random.setstate(python)
