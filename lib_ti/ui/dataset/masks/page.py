"""Layout of the step Masks."""

from __future__ import annotations

from lib_ti.ui.dataset.painting import page as painting_page
from lib_ti.ui.parts import Parts

TITLE = "Masks"
_ABOUT = (
    "Paint the area to exclude from training, such as a background: red is excluded. Without paint, the whole image is "
    "trained. The mask is saved at once. Training uses masks while “Use PNG alpha channel as loss weight” is on in "
    "the Train tab; “Use for training” turns it on."
)


def layout(parts: Parts) -> None:
    def controls() -> None:
        parts.html("masks_message")
        parts.button("masks_transparency", "From transparency", size="sm")
        parts.button("masks_remove", "Remove mask", size="sm")

    images = "An image of the prepared folder."
    painting_page.layout(parts, "masks", images=images, about=_ABOUT, white="train", controls=controls)
