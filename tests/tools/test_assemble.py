"""Putting the trained parts of the pocket model together."""

from __future__ import annotations

import torch

from lib_ti.pocket import files
from lib_ti.pocket.words import Words
from tools.pocket.assemble import lift_context


def test_lifting_the_context_changes_no_prediction() -> None:
    torch.manual_seed(2)
    unet, _, text = files.load()
    tokens, noisy = Words().encode(["a red circle", ""]), torch.randn(2, 4, 8, 8)
    with torch.no_grad():
        before = unet(noisy, 300, text(tokens)[0]).sample
        lift_context(unet, text, mean=0.4)
        after = unet(noisy, 300, text(tokens)[0]).sample
    assert torch.allclose(before, after, atol=1e-4)
