"""Inpainting with the host's own model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lib_ti.errors import BadInput, UserError
from lib_ti.host.base import SessionOptions
from lib_ti.pocket import CHECKPOINT
from tests.host.drawn import noise, painted
from tests.host.embedded.sessions import host_of


def test_regions_depend_on_seed_and_prompt(tmp_path: Path) -> None:
    host = host_of(tmp_path, CHECKPOINT)
    image, mask = noise(60, 44), painted((60, 44), (20, 10, 40, 30))
    messages: list[str] = []
    state = torch.get_rng_state()
    assert host.tools.can_inpaint
    with host.tools.inpainter(messages.append) as inpainter:
        first, again = (inpainter.fill(image, mask, prompt="", seed=1) for _ in range(2))
        seed, prompt = (
            inpainter.fill(image, mask, prompt=words, seed=number) for words, number in (("", 2), ("a red cross", 1))
        )
        unpainted = inpainter.fill(image, Image.new("L", image.size), prompt="", seed=1)
        with pytest.raises(BadInput, match="seed -1 is not between"):
            inpainter.fill(image, mask, prompt="", seed=-1)
        with pytest.raises(UserError, match="is in use"), host.models.session(SessionOptions()):
            pass
    assert first.tobytes() == again.tobytes()
    assert len({one.tobytes() for one in (image, first, seed, prompt)}) == 4
    assert unpainted.tobytes() == image.tobytes()
    outside = np.asarray(mask) == 0
    assert all(np.array_equal(np.asarray(one)[outside], np.asarray(image)[outside]) for one in (first, prompt))
    assert "generates images of 64 pixels" in messages[0]
    assert torch.equal(torch.get_rng_state(), state)
