"""Actions of deleting and archiving checkpoints: each asks first, naming the files and the space they take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import escape, folded, hint, notice
from lib_ti.ui.parts import Parts
from lib_ti.wording import counted, precise_size, some

if TYPE_CHECKING:
    from lib_ti.ui.results.cleanup import service
    from lib_ti.ui.results.cleanup.service import Plan
    from lib_ti.ui.results.state import RunResults
else:
    service = lazy("lib_ti.ui.results.cleanup.service")

Data = dict[Any, Any]
SHOWN = ("cleanup_choice", "cleanup_kept", "cleanup_question", "cleanup_answers")
"""What is about one run."""


@dataclass(frozen=True)
class Shown:
    """The action that shows a run again, with its inputs and outputs."""

    action: Callable[[Data], list[Any]]
    inputs: set[Any]
    outputs: list[Any]


def updates(parts: Parts, run: RunResults) -> list[Any]:
    """Updates of :data:`SHOWN`; all but what is kept is chosen."""
    sizes = service.sizes(run)
    kept = service.kept(run, parts.controller.host.folders.embeddings)
    entries = [(f"{key} ({precise_size(size)})", key) for key, size in sizes.items()]
    said = f"Kept unless you choose them: {_why(kept)}." if kept else ""
    return [
        gr.update(choices=entries, value=[key for key in sizes if key not in kept]),
        hint(said) if said else "",
        "",
        gr.update(visible=False),
    ]


def connect(parts: Parts, where: set[Any], chosen_run: Callable[[Data], RunResults], shown: Shown) -> None:
    """Connect the events.

    Parameters
    ----------
    where
        The components that say which run is chosen.
    chosen_run
        Returns it, of their values.
    shown
        Shows it again, without what was removed.
    """
    agreed, message, choice = parts["cleanup_agreed"], parts["cleanup_message"], parts["cleanup_choice"]
    asked = [parts["cleanup_question"], parts["cleanup_answers"], parts["cleanup_confirm"], agreed, message]

    def asking(*, archive: bool) -> Callable[[Data], list[Any]]:
        def ask(data: Data) -> list[Any]:
            planned, problem = attempt(lambda: service.plan(chosen_run(data), data[choice] or []))
            if planned is None:
                return ["", gr.update(visible=False), gr.update(), None, problem]
            button = f"{'Archive' if archive else 'Delete'} {planned.describe()}"
            path = str(chosen_run(data).folder.path)
            return [
                question(planned, archive=archive),
                gr.update(visible=True),
                gr.update(value=button),
                (path, planned, archive),
                "",
            ]

        return ask

    def confirm(data: Data) -> list[Any]:
        said, problem = attempt(lambda: _remove(data[agreed], chosen_run(data)))
        return ["", gr.update(visible=False), gr.update(), None, problem or notice("good", [said or ""])]

    def cancel() -> list[Any]:
        return ["", gr.update(visible=False), gr.update(), None, ""]

    for name, archive in (("cleanup_archive", True), ("cleanup_delete", False)):
        parts[name].click(asking(archive=archive), inputs={*where, choice}, outputs=asked, **QUIET)
    parts["cleanup_cancel"].click(cancel, inputs=[], outputs=asked, **QUIET)
    removed = parts["cleanup_confirm"].click(confirm, inputs={*where, agreed}, outputs=asked, **BUSY)
    removed.then(shown.action, inputs=shown.inputs, outputs=shown.outputs, **QUIET)


def question(planned: Plan, *, archive: bool) -> str:
    """Ask whether the files of a plan are to be removed, all of which are named."""
    number = counted(len(planned.checkpoints), "checkpoint")
    if archive:
        title = f"Move {number} into a zip in the run's folder?"
        said = (
            f"{planned.describe()}: {some(planned.checkpoints, most=12)}. The zip is verified before they are deleted. "
            "PNG cards are hardly smaller in it."
        )
    else:
        title = f"Delete {number}?"
        said = f"{planned.describe()}: {some(planned.checkpoints, most=12)}. They cannot be had back."
    listed = "".join(f"<li><code>{escape(name)}</code> ({precise_size(size)})</li>" for name, size in planned.files)
    return notice("warning", [said], title=title) + folded("The files", f"<ul>{listed}</ul>")


def _remove(agreed: tuple[str, Plan, bool] | None, run: RunResults) -> str:
    """Do what was agreed to, where the page still shows that run; returns a sentence about it."""
    if agreed is None or agreed[0] != str(run.folder.path):
        raise BadInput("Another run is shown by now: nothing was removed.")
    return service.remove(run, agreed[1], archive=agreed[2])


def _why(kept: list[str]) -> str:
    """The checkpoints that are kept, and why."""
    reasons = [*(["best, which has the lowest validation loss"] if "best" in kept else [])]
    if used := [key for key in kept if key != "best"]:
        reasons.append(f"{some(used)}, which the embedding is now")
    return ", and ".join(reasons)
