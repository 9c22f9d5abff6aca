"""A Forge or reForge of the tests' own, started as ``tests/webui/instance.py`` starts a WebUI.

``TI_FORGE_ROOT`` is the fork's folder (the one with ``launch.py``), and ``TI_FORGE_PYTHON`` its Python.
"""

from __future__ import annotations

import contextlib
import os
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


def small_page() -> dict[str, Any]:
    """Settings that leave built-in extensions out: a fork's whole page takes a browser a minute to build.

    No tabs are hidden: the forks' pages have events for what is in them, and reForge's tabs do not open without it.
    """
    built_in = Path(os.environ.get(FORK.root, "")) / "extensions-builtin"
    return {"disabled_extensions": sorted(one.name for one in built_in.glob("*"))}


@contextlib.contextmanager
def fork(folder: Path, *more: str, settings: Mapping[str, Any] = MappingProxyType({})) -> Iterator[Instance]:
    """Start a fork in ``folder``, and end it.

    From a data folder elsewhere, Forge serves its own script and style sheet only if its folder is allowed.
    """
    allowed = ("--gradio-allowed-path", str(folder), "--gradio-allowed-path", os.environ.get(FORK.root, ""))
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
