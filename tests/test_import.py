"""Importing the package costs next to nothing: the WebUI imports it at every start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "numpy", "PIL", "gradio", "transformers", "diffusers", "safetensors", "matplotlib", "yaml"}
BUDGET_SECONDS = 0.05

IMPORT_AND_REPORT = """
import importlib, json, sys, time
started = time.perf_counter()
importlib.import_module(sys.argv[1])
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "modules": sorted(sys.modules)}))
"""


def import_in_a_fresh_process(module: str = "lib_ti") -> dict[str, float | list[str]]:
    report = subprocess.run(
        [sys.executable, "-c", IMPORT_AND_REPORT, module], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(report.stdout)


def test_importing_is_quick_and_takes_nothing_heavy() -> None:
    reports = [import_in_a_fresh_process() for _ in range(5)]
    assert HEAVY.isdisjoint(reports[0]["modules"])
    assert min(report["seconds"] for report in reports) < BUDGET_SECONDS


def test_importing_takes_no_part_of_the_package() -> None:
    modules = import_in_a_fresh_process()["modules"]
    assert [name for name in modules if name.startswith("lib_ti.")] == []


def test_the_tab_and_the_command_line_start_without_torch() -> None:
    assert "torch" not in import_in_a_fresh_process("lib_ti.ui.tab")["modules"]
    assert HEAVY.isdisjoint(import_in_a_fresh_process("lib_ti.cli.main")["modules"])
