"""Actions of the removal of text from all images: what its events do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import REMOVAL, REVIEW, TEXT_REMOVAL
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.config import PrepareConfig
from lib_ti.lazy import lazy
from lib_ti.paths import path_text
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.painting.image_picker import Data, ImagePicker
from lib_ti.ui.dataset.remove.review import view
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.prep.remove.remove_text import TextProposals
    from lib_ti.ui.dataset.remove.review import state
    from lib_ti.ui.dataset.remove.review.state import Review, TextReview, Work
else:
    state = lazy("lib_ti.ui.dataset.remove.review.state")


def connect(parts: Parts, picker: ImagePicker) -> None:
    """Connect the events; ``picker`` shows the images, which change when removals are kept."""
    _Actions(parts, picker).connect()


class _Actions:
    """Handlers of the review's events: they read the page's values and return updates."""

    def __init__(self, parts: Parts, picker: ImagePicker) -> None:
        self._parts, self._picker, self._form, self._line = parts, picker, parts.prepare, parts.task_line
        self._message, self._stamp = parts["review_message"], parts["review_stamp"]
        names = (
            "review_pairs",
            "review_names",
            "review_keep",
            "review_keep_end",
            "review_undo",
            "review",
            "review_stamp",
        )
        self._review_outputs = [parts[name] for name in names]
        self._inputs = {*picker.everything, self._stamp}

    def connect(self) -> None:
        parts, line, inputs = self._parts, self._line, self._inputs
        names, changes = parts["review_names"], parts["review_changes"]
        shown, started = [self._message, *self._review_outputs], [self._message, *line.outputs]
        parts["review_start"].click(self._start, inputs=inputs | {parts.inspect["text"]}, outputs=started, **BUSY)
        line.done.change(self._ended, inputs=inputs | {line.done}, outputs=shown, **QUIET)
        line.show_outcome(TEXT_REMOVAL, self._message)
        parts["step_remove"].select(self._opened, inputs=inputs, outputs=self._review_outputs, **QUIET)
        saved = [parts["review_saved"], *self._review_outputs]
        changes.input(self._save, inputs=inputs | {changes}, outputs=saved, **QUIET)
        for name in ("accept", "reject", "keep", "keep_end"):
            parts[f"review_{name}"].click(self._starting(name), inputs=inputs, outputs=started, **BUSY)
        parts["review_save_names"].click(self._start_names, inputs=inputs | {names}, outputs=started, **BUSY)
        changed = [*shown, *self._picker.outputs]
        line.done.change(self._reviewed, inputs=inputs | {line.done}, outputs=changed, **QUIET)
        line.show_outcome(REVIEW, self._message)
        parts["review_undo"].click(self._undo, inputs=inputs, outputs=changed, **BUSY)

    @cached_property
    def _review(self) -> TextReview:
        return state.TextReview(self._parts.controller.host)

    def _config(self, data: Data) -> PrepareConfig:
        return self._parts.preparation.config(self._form.values(data))

    def _start(self, data: Data) -> list[Any]:
        config, problem = attempt(lambda: self._config(data))
        if config is None:
            return [problem, *self._line.updates()]
        at_least = float(data[self._parts.inspect["text"]] or 0)

        def work(task: TaskContext) -> TextProposals:
            return self._review.propose(config, at_least, task)

        return self._line.start(TEXT_REMOVAL, "Removing text from all images", work)

    def _ended(self, data: Data) -> list[Any]:
        """Show what a search has found, also where it was stopped; and what counts still after another removal."""
        if self._line.succeeded(data, REMOVAL):
            return [gr.update(), *self._opened(data)]
        if not self._line.ended(data, TEXT_REMOVAL):
            return [gr.update()] * (1 + len(self._review_outputs))
        done = self._line.succeeded(data, TEXT_REMOVAL)
        message = view.outcome(TASKS.result(TEXT_REMOVAL)) if done else gr.update()
        return [message, *self._opened(data)]

    def _opened(self, data: Data) -> list[Any]:
        """Show the proposals; change nothing where the page already has them."""
        if not path_text(str(data[self._form["source"]] or "")):
            return self._hidden()
        updates, _ = attempt(lambda: self._updates(data, outdated=False))
        return updates or self._hidden()  # the list of images says why

    def _updates(self, data: Data, *, pairs: bool = True, outdated: bool = True) -> list[Any]:
        """Show the proposals as they are now.

        Parameters
        ----------
        pairs
            Whether the images are updated too.
        outdated
            Whether they are where the page already has that review.
        """
        config = self._config(data)
        review, kept = self._review.review(config), self._review.kept(config)
        accepted = len(review.accepted)
        pairs = pairs and (outdated or review.stamp != data[self._stamp])
        return [
            view.pairs(review) if pairs else gr.update(),
            "\n".join(one.name for one in review.accepted),
            *[gr.update(value=f"Keep {accepted}", interactive=accepted > 0)] * 2,
            gr.update(value=f"Undo: keep {counted(kept, 'image')}", visible=kept > 0),
            _accordion(review, open_now=pairs),
            review.stamp,
        ]

    @staticmethod
    def _hidden() -> list[Any]:
        return ["", "", gr.update(), gr.update(), gr.update(visible=False), gr.update(visible=False), ""]

    def _save(self, data: Data) -> list[Any]:
        """Write the decisions of switches, which the page already shows."""
        message, problem = attempt(lambda: state.read_message(data[self._parts["review_changes"]] or ""))
        unchanged = [gr.update()] * len(self._review_outputs)
        if message is None:
            return [problem, *unchanged]
        _, problem = attempt(lambda: self._review.decide(self._config(data), message))
        if problem:
            return [view.refused(message.number, problem), *unchanged]
        return [view.saved(message.number), *self._updates(data, pairs=False)]

    def _starting(self, button: str) -> Callable[[Data], list[Any]]:
        def start(data: Data) -> list[Any]:
            if button in ("accept", "reject"):
                accepted, title = button == "accept", f"{button.capitalize()}ing all proposals"
                return self._run(title, lambda: self._review.deciding_all(self._config(data), accepted=accepted))
            return self._run("Keeping the removals", lambda: self._review.keeping(self._config(data)))

        return start

    def _start_names(self, data: Data) -> list[Any]:
        text = data[self._parts["review_names"]] or ""
        return self._run("Accepting a list of names", lambda: self._review.deciding_by_names(self._config(data), text))

    def _run(self, title: str, work: Callable[[], Work]) -> list[Any]:
        """Start a task; what cannot be done is said at once."""
        found, problem = attempt(work)
        updates: list[Any] = [problem, *self._line.updates()]
        return updates if found is None else self._line.start(REVIEW, title, found)

    def _reviewed(self, data: Data) -> list[Any]:
        """Show what a task did, also where it was stopped; and the images, which have changed with it."""
        unchanged = [gr.update()] * (1 + len(self._review_outputs) + len(self._picker.outputs))
        if not self._line.ended(data, REVIEW):
            return unchanged
        message = gr.update()  # of a task that was stopped or failed: show_outcome writes it
        if self._line.succeeded(data, REVIEW):
            outcome = TASKS.result(REVIEW)
            about, _ = attempt(lambda: self._review.is_about(self._config(data), outcome))
            if not about:
                return unchanged
            message = notice("good", [outcome.message])
        return [message, *self._opened(data), *self._picker.refresh(data)]

    def _undo(self, data: Data) -> list[Any]:
        """Take back what was kept last; then show the images as they are."""
        message, problem = attempt(lambda: self._review.undo(self._config(data)))
        if message is None:
            return [problem, *[gr.update()] * (len(self._review_outputs) + len(self._picker.outputs))]
        return [notice("good", [message]), *self._updates(data), *self._picker.refresh(data)]


def _accordion(review: Review, *, open_now: bool) -> Any:
    """Update what the review is in: open as long as something can be kept."""
    images, accepted = counted(len(review.images), "image"), len(review.accepted)
    label = f"Review: {images} before and after" if accepted else f"Rejected: {images}"
    changes = {"open": accepted > 0} if open_now else {}
    return gr.update(visible=bool(review.images), label=label, **changes)
