"""Actions of the removal of text from all images: what its events do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import REMOVAL, TEXT_REMOVAL
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
    from lib_ti.ui.dataset.remove.review.state import Review, TextReview
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
        shown = [self._message, *self._review_outputs]
        parts["review_start"].click(
            self._start, inputs=inputs | {parts.inspect["text"]}, outputs=[self._message, *line.outputs], **BUSY
        )
        line.done.change(self._ended, inputs=inputs | {line.done}, outputs=shown, **QUIET)
        line.show_outcome(TEXT_REMOVAL, self._message)
        parts["step_remove"].select(self._opened, inputs=inputs, outputs=self._review_outputs, **QUIET)
        saved = [parts["review_saved"], *self._review_outputs]
        changes.input(self._save, inputs=inputs | {changes}, outputs=saved, **QUIET)
        for name, decide in (("accept", True), ("reject", False)):
            parts[f"review_{name}"].click(self._deciding(accepted=decide), inputs=inputs, outputs=shown, **BUSY)
        parts["review_save_names"].click(self._save_names, inputs=inputs | {names}, outputs=shown, **BUSY)
        changed = [*shown, *self._picker.outputs]
        for name, action in (("keep", "keep"), ("keep_end", "keep"), ("undo", "undo")):
            parts[f"review_{name}"].click(self._changing(action), inputs=inputs, outputs=changed, **BUSY)

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

    def _decide(self, data: Data, action: Callable[[PrepareConfig], Any], message: str = "") -> list[Any]:
        _, problem = attempt(lambda: action(self._config(data)))
        if problem:
            return [problem, *[gr.update()] * len(self._review_outputs)]
        return [message, *self._updates(data)]

    def _deciding(self, *, accepted: bool) -> Callable[[Data], list[Any]]:
        def decide(data: Data) -> list[Any]:
            return self._decide(data, lambda config: self._review.decide_all(config, accepted=accepted))

        return decide

    def _save_names(self, data: Data) -> list[Any]:
        text = data[self._parts["review_names"]] or ""
        return self._decide(data, lambda config: self._review.decide_by_names(config, text))

    def _changing(self, name: str) -> Callable[[Data], list[Any]]:
        """Keep the accepted removals, or undo that; then show the images as they are."""

        def change(data: Data) -> list[Any]:
            message, problem = attempt(lambda: getattr(self._review, name)(self._config(data)))
            if message is None:
                return [problem, *[gr.update()] * (len(self._review_outputs) + len(self._picker.outputs))]
            return [notice("good", [message]), *self._updates(data), *self._picker.refresh(data)]

        return change


def _accordion(review: Review, *, open_now: bool) -> Any:
    """Update what the review is in: open as long as something can be kept."""
    images, accepted = counted(len(review.images), "image"), len(review.accepted)
    label = f"Review: {images} before and after" if accepted else f"Rejected: {images}"
    changes = {"open": accepted > 0} if open_now else {}
    return gr.update(visible=bool(review.images), label=label, **changes)
