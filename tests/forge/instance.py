"""A Forge or reForge of the tests' own, started as ``tests/webui/instance.py`` starts a WebUI.

``TI_FORGE_ROOT`` is the fork's folder (the one with ``launch.py``), and ``TI_FORGE_PYTHON`` its Python.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.forge.small_model import write_small_models
from tests.webui.instance import Instance, Program, pocket_models, running

FORK = Program(
    "TI_FORGE_ROOT",
    "TI_FORGE_PYTHON",
    (
        "--skip-torch-cuda-test --skip-prepare-environment --skip-install --skip-python-version-check --always-cpu "
        "--all-in-fp32 --no-download-sd-model --disable-console-progressbars --api"
    ).split(),
)
PROBE = str(Path(__file__).with_name("probe.py"))
SMALL, OTHER, POCKET = "small.safetensors", "other.safetensors", "pocket/pocket.safetensors"


def models(folder: Path) -> str:
    """Write two checkpoints that the fork generates with and the pocket models, which it only lists."""
    pocket_models(folder)
    write_small_models(folder, SMALL, OTHER)
    return SMALL


@contextlib.contextmanager
def fork(folder: Path, *more: str, settings: Mapping[str, Any] = MappingProxyType({})) -> Iterator[Instance]:
    """Start a fork in ``folder``, and end it.

    From a data folder elsewhere, Forge serves its own script and style sheet only if its folder is allowed.
    """
    allowed = ("--gradio-allowed-path", str(folder))
    with running(
        folder,
        *allowed,
        *more,
        probes=(PROBE,),
        models=models,
        settings={"live_previews_enable": False, **settings},
        program=FORK,
    ) as instance:
        yield instance
