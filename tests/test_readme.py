"""The README's tables are the declared settings; its links and images are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lib_ti.config import PRESETS, described
from tests.test_config import KINDS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def table(kind: type) -> str:
    """The settings of ``kind`` as README has them."""
    rows = ["| setting | default | what it does |", "| --- | --- | --- |"]
    for name, value_type, default, setting in described(kind):
        shown = {True: "on", False: "off"}[default] if value_type is bool else f"`{default}`" if default != "" else "–"
        option = f"`--{name.replace('_', '-')}`"
        rows.append(f"| {setting.label} ({option}) | {shown} | {setting.help.replace('|', '/')} |")
    return "\n".join(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_the_tables_are_the_settings(kind: type) -> None:
    wanted = table(kind)
    assert wanted in README.read_text(encoding="utf-8"), f"README.md lacks this table:\n\n{wanted}"


def presets() -> str:
    """The presets as README has them."""
    rows = [
        "| preset | vectors | learning rate | decay | vector norm | batch size | steps |",
        "| - | - | - | - | - | - | - |",
    ]
    for name, preset in PRESETS.items():
        values = preset.settings
        shown = (
            *(values[key] for key in ("learning_rate", "learning_rate_decay", "vector_norm", "batch_size")),
            preset.steps or "Max steps",
        )
        rows.append(f"| `{name}` | {preset.vectors or 'any'} | {' | '.join(map(str, shown))} |")
    return "\n".join(rows)


def test_the_table_of_presets_is_theirs() -> None:
    assert presets() in README.read_text(encoding="utf-8"), f"README.md lacks this table:\n\n{presets()}"


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
