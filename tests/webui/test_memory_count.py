"""Memory of one backward pass through the WebUI's own UNets of full size, by precision and what is recomputed.

The figures were counted in a genuine WebUI 1.10.1; no model is loaded and no WebUI started for it.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.webui.instance import PYTHON, ROOT

MIB = {
    "sd1": (1457, 648, 278), "sd2": (3082, 867, 439), "sdxl": (10104, 1651, 936),
    "sd1 in half": (875, 383, 161), "sd2 in half": (1869, 507, 269), "sdxl in half": (6066, 930, 518),
}  # fmt: skip
"""SD1 at 512, SD2 at 768, SDXL at 1024 pixels: with nothing, transformer blocks, and all blocks recomputed."""


@pytest.mark.skipif(not (os.environ.get(ROOT) and os.environ.get(PYTHON)), reason=f"needs {ROOT} and {PYTHON}")
def test_a_step_of_the_webuis_models_saves_as_much_as_was_counted() -> None:
    repositories = Path(os.environ[ROOT]) / "repositories"
    command = [os.environ[PYTHON], "-m", "tests.webui.memory_count", str(repositories)]
    folder = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])  # ldm prints before it
    assert {key: list(one.values()) for key, one in found.items()} == {
        key: pytest.approx(expected, rel=0.05) for key, expected in MIB.items()
    }
