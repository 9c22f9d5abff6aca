"""Prompt templates in the sub-tab Train, from plain values to plain results. Knows no Gradio."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lib_ti.embedding import names
from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.lazy import lazy
from lib_ti.paths import as_path
from lib_ti.storage import aside
from lib_ti.ui import reach
from lib_ti.ui.html.fragments import escape, notice
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.data import dataset, scan, templates
else:
    dataset = lazy("lib_ti.data.dataset")
    templates = lazy("lib_ti.data.templates")
    scan = lazy("lib_ti.data.scan")

EXAMPLE_CAPTIONS = ("a house by the sea", "portrait of a girl, red scarf", "")
"""Captions for the example prompts while no folder is chosen; an empty one shows what happens without a caption."""
SHOWN_CAPTIONS = 3


class Templates:
    """Prompt templates, for one host."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def names(self) -> list[str]:
        return list(templates.available(self._folders.templates))

    def check_path(self, name: str) -> None:
        """Refuse the path of a text file outside the allowed folders; names of templates are not paths."""
        if name.strip().removesuffix(".txt") not in self.names():
            reach.check(self._folders, {"Prompt template": name})

    def text(self, name: str) -> str:
        """Return the lines of a template, for editing.

        Raises
        ------
        BadInput
            When there is none of that name.
        """
        self.check_path(name)
        return "\n".join(templates.find_template(name, self._folders.templates).lines)

    def prompts(self, text: str, name: str, folder: str) -> str:
        """Example prompts of a template's text for some captions, and its problems."""
        reach.check(self._folders, {"Dataset directory": folder})
        lines = _lines(text)
        numbers = tuple(range(1, len(lines) + 1))
        captions = _some_captions(folder)
        shown = name or "my-style"
        problems: Sequence[str] = ()
        try:
            templates.check_template(templates.Template("template", Path("in the tab"), lines, numbers), captions)
        except BadInput as error:
            problems = error.problems
        rng = random.Random(0)
        rendered = [
            templates.render(
                lines[place * len(lines) // len(captions)], shown, caption, shuffle_tags=False, tag_dropout=0, rng=rng
            )
            for place, caption in enumerate(captions)
            if lines
        ]
        rows = "".join(f"<li>{escape(prompt)}</li>" for prompt in rendered)
        return notice("error", problems) + (f'<ol class="ti-prompts">{rows}</ol>' if rows else "")

    def save(self, name: str, text: str, *, replace: bool = False) -> str:
        """Save a template to the host's own folder; return a message that says where it is.

        Raises
        ------
        BadInput
            When the name cannot be a file name, and as :func:`lib_ti.data.templates.save_template` says.
        """
        stem = name.strip().removesuffix(".txt")
        if not stem or names.sanitise(stem) != stem or ".." in stem:
            raise BadInput(f"The template name {quoted(name)} cannot be a file name; use letters, digits, - and _.")
        path, former = templates.save_template(stem, _lines(text), self._folders.templates, replace=replace)
        return notice("good", [f"Saved {path}.", aside.sentence([former] if former else [])])


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _some_captions(folder: str) -> tuple[str, ...]:
    try:
        found = scan.scan(as_path(folder), dataset.Rules(64, 64, resize="keep", validation_split=0.0))
    except BadInput:
        return EXAMPLE_CAPTIONS
    return tuple(item.caption for item in found.items[:SHOWN_CAPTIONS])
