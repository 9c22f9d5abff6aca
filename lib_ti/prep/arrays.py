"""The type of all arrays of pixels and figures here; shapes are told where they matter."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
