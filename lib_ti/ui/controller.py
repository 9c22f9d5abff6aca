"""What the tab's buttons do: from plain values to plain results. Knows the engine and no Gradio.

The engine is imported by what needs it and not by this module, since the WebUI's start waits for the tab to be built.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lib_ti.config import CreateConfig, TrainConfig, from_mapping
from lib_ti.errors import BadInput, UserError
from lib_ti.host.base import CHUNK, Host
from lib_ti.training.job import JOBS, Jobs, explain
from lib_ti.ui import reach
from lib_ti.ui.fragments import escape, findings, hint, notice
from lib_ti.wording import counted, quoted

if TYPE_CHECKING:
    from lib_ti.data.dataset import Dataset
    from lib_ti.ui.results import Run

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

EXAMPLE_CAPTIONS = ("a house by the sea", "portrait of a girl, red scarf", "")
"""Shown in place of the pictures' captions while no folder is chosen; an empty one is the case to look at."""
SHOWN_CAPTIONS = 3
TXT2IMG = {
    "prompt": "preview_prompt",
    "negative_prompt": "preview_negative",
    "steps": "preview_steps",
    "sampler": "preview_sampler",
    "scheduler": "preview_scheduler",
    "cfg_scale": "preview_cfg",
    "seed": "preview_seed",
    "width": "preview_width",
    "height": "preview_height",
}
"""Which setting of a run each field of the txt2img tab becomes."""


def attempt(action: Callable[[], Result]) -> tuple[Result | None, str]:
    """The result of ``action`` and no text, or nothing and a box that says what was wrong and what to do."""
    try:
        return action(), ""
    except BadInput as error:
        return None, notice("error", error.problems)
    except UserError as error:
        return None, notice("error", [str(error)])
    except Exception as error:
        logger.exception("A button's work failed")
        return None, notice("error", explain(error))


class Controller:
    """The work behind the tab, for one host."""

    def __init__(self, host: Host, jobs: Jobs = JOBS) -> None:
        self.host, self.jobs = host, jobs

    def embeddings(self) -> list[str]:
        """Names in the embeddings folder."""
        from lib_ti.embedding import library

        return library.list_names(self.host.embeddings_folder)

    def templates(self) -> list[str]:
        from lib_ti.data import templates

        return list(templates.available(self.host.template_folders))

    # Create

    def create(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """Create an embedding; returns its name and a sentence."""
        from lib_ti.training.create import create

        config = from_mapping(CreateConfig, values, source="the form")
        created = create(self.host, config)
        vectors = counted(config.vectors, "vector")
        said = f"Created {config.name} with {vectors}: {created.path}. It is chosen in the Train tab."
        return config.name, notice("good", [said]) + notice("info", created.notes)

    def name_remarks(self, name: str, log_directory: str) -> str:
        """What there is to know of a name before an embedding is created under it."""
        from lib_ti.embedding import library
        from lib_ti.training import rundir
        from lib_ti.training.create import check_new_name

        if not name.strip():
            return ""
        try:
            check_new_name(self.host, name)
        except BadInput as error:
            return notice("warning", error.problems)
        found = [self._describe_file(path) for path in library.find_all(self.host.embeddings_folder, name)]
        runs = rundir.find_runs(self.log_directory(log_directory), name) if log_directory.strip() else []
        if runs:
            found.append(f"There are trainings of that name: {', '.join(str(run.path) for run in runs[:3])}.")
        if not found:
            return hint(f"The name is free. Write {name} in a prompt to use the embedding.")
        return notice("info", found, title="This name is in use")

    def _describe_file(self, path: Path) -> str:
        from lib_ti.embedding import files

        try:
            embedding = files.load(path)
        except BadInput as error:
            return f"{path.name}: {error}"
        return f"{path.name}: {counted(embedding.count, 'vector')}, trained for {counted(embedding.step, 'step')}."

    @staticmethod
    def tokens_left(vectors: Any) -> str:
        count = int(vectors or 0)
        left = CHUNK - count
        few = " A caption hardly fits beside it." if left < 20 else ""
        return hint(f"{count} of {CHUNK} prompt tokens are taken, {left} are left for the rest of the prompt.{few}")

    # Templates

    def template_text(self, name: str) -> str:
        """The lines of a template, for editing.

        Raises
        ------
        BadInput
            When there is none of that name.
        """
        from lib_ti.data import templates

        self._check_template_path(name)
        return "\n".join(templates.find_template(name, self.host.template_folders).lines)

    def prompts(self, text: str, name: str, folder: str) -> str:
        """The prompts that a template's text gives for some captions, and what is wrong with it."""
        from lib_ti.data import templates

        reach.check(self.host, {"Dataset directory": folder})
        lines = tuple(line.strip() for line in text.splitlines() if line.strip())
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

    def save_template(self, name: str, text: str) -> str:
        """Write a template into the host's own folder; returns a sentence.

        Raises
        ------
        BadInput
            A name that is no file name, a text that would train nothing, or a host without such a folder.
        """
        from lib_ti.atomic import write_text
        from lib_ti.data import templates
        from lib_ti.embedding import names

        folders = self.host.template_folders
        stem = name.strip().removesuffix(".txt")
        if not stem or names.sanitise(stem) != stem or ".." in stem:
            raise BadInput(f"The template name {quoted(name)} cannot be a file name; use letters, digits, - and _.")
        lines = tuple(line.strip() for line in text.splitlines() if line.strip())
        numbers = tuple(range(1, len(lines) + 1))
        path = (folders[0] if folders else Path("textual_inversion_templates")) / f"{stem}.txt"
        # Captions may hold [name] themselves; which ones are meant is not known here, and is checked before a run.
        templates.check_template(templates.Template(stem, path, lines, numbers), (templates.NAME,))
        write_text(path, "\n".join(lines) + "\n")
        return notice("good", [f"Saved {path}."])

    # Train

    def check(self, values: Mapping[str, Any]) -> str:
        """What is right and what is wrong with a run that has these values, as a list; nothing is begun."""
        from lib_ti.ui import preflight

        try:
            found = preflight.check(self.host, self.train_config(values))
        except BadInput as error:
            found = [("error", problem) for problem in error.problems]
        return f'<div class="ti-check">{findings(found)}</div>'

    def start(self, values: Mapping[str, Any], txt2img: Mapping[str, Any] | None = None) -> str:
        """Begin a run in the background; with ``txt2img``, previews are drawn with that tab's values.

        Returns what there is to say of it.

        Raises
        ------
        UserError
            With everything that is wrong with the values, or because a run is going on.
        """
        taken = {TXT2IMG[key]: value for key, value in (txt2img or {}).items() if value not in (None, "")}
        from lib_ti.ui.dataset.captions_editing import unsaved

        config = self.train_config({**values, **taken})
        self.jobs.start(self.host, config)
        said = unsaved(config.dataset)
        return notice("warning" if said else "info", [f"Training of {config.name} begins.", *filter(None, [said])])

    def train_config(self, values: Mapping[str, Any]) -> TrainConfig:
        """The settings of a run from the form's values.

        Raises
        ------
        BadInput
            With everything that is wrong with them by themselves.
        """
        config = from_mapping(TrainConfig, values, source="the form")
        reach.check(self.host, {"Dataset directory": config.dataset, "Log directory": config.log_directory})
        self._check_template_path(config.template)
        return config

    def log_directory(self, text: str) -> Path:
        """The folder of the runs; raises :class:`BadInput` where this page may not look there."""
        reach.check(self.host, {"Log directory": text})
        return Path(text)

    def _check_template_path(self, name: str) -> None:
        """Any text file can be a template, those in the template folders without being asked for by path."""
        if name.strip().removesuffix(".txt") not in self.templates():
            reach.check(self.host, {"Prompt template": name})

    # Results

    def trained_names(self, log_directory: str) -> list[str]:
        """Embeddings that have runs there."""
        from lib_ti.ui import results

        return results.trained_names(self.log_directory(log_directory), self.embeddings())

    def runs(self, log_directory: str, name: str) -> list[str]:
        """Folders of an embedding's runs, the newest first."""
        from lib_ti.ui import results

        return results.list_runs(self.log_directory(log_directory), name)

    def run(self, log_directory: str, name: str, path: str) -> Run:
        """The run in the folder ``path``, or the newest where that is of another embedding.

        Raises
        ------
        BadInput
            When the embedding has none.
        """
        from lib_ti.ui.results import Run

        there = self.runs(log_directory, name)
        return Run(self.log_directory(log_directory), name, path if path in there or not there else there[0])

    # Dataset

    def scan(self, folder: str, values: Mapping[str, Any]) -> Dataset:
        """The pictures of a folder, as a run with these settings would take them.

        Raises
        ------
        BadInput
            When there is nothing to train on.
        """
        if not folder.strip():
            raise BadInput("No folder is chosen: write the path of the folder with your pictures.")
        from lib_ti.data import dataset

        reach.check(self.host, {"Dataset directory": folder})
        width, height = int(values.get("width") or 0), int(values.get("height") or 0)
        unknown = not (width and height)
        return dataset.scan(
            Path(folder.strip()).expanduser(),
            width=width or 64,
            height=height or 64,
            # The model's own size is known only where it is loaded; then the pictures are shown in theirs.
            resize="keep" if unknown else values["resize"],
            use_alpha=bool(values["use_alpha"]),
            held_out=float(values["held_out"] or 0),
            seed=int(values["seed"] or 0),
        )


def _some_captions(folder: str) -> tuple[str, ...]:
    if not folder.strip() or not Path(folder).is_dir():
        return EXAMPLE_CAPTIONS
    from lib_ti.data import dataset

    try:
        found = dataset.scan(Path(folder), width=64, height=64, resize="keep", held_out=0.0)
    except BadInput:
        return EXAMPLE_CAPTIONS
    return tuple(item.caption for item in found.items[:SHOWN_CAPTIONS])
