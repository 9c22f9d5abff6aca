"""Type of all arrays of pixels and measures in this package; shapes are documented where they matter."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
