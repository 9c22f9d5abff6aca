"""What contradicts the setting Vector norm."""

from __future__ import annotations

from lib_ti.wording import number


def norm_problems(vector_norm: str, weight_decay: float, clip: str) -> list[str]:
    """Return a sentence for each setting that has no meaning with this Vector norm."""
    found = []
    if vector_norm in ("fixed", "direction") and weight_decay:
        found.append(
            f"Weight decay is {number(weight_decay)}, and Vector norm is {vector_norm}, which lets no "
            "vector become shorter: set Weight decay to 0, or Vector norm to free."
        )
    if vector_norm == "direction" and clip != "disabled":
        found.append(
            f"Gradient clipping is {clip}, and Vector norm is direction, where the size of a gradient does "
            "not matter: set Gradient clipping to disabled, or Vector norm to fixed."
        )
    return found
