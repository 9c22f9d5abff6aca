"""Events that follow each other faster than they are answered, so that the page shows what the last one asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import gradio as gr

from lib_ti.ui.event_options import QUIET, quick

Data = dict[Any, Any]


def follow(
    event: Callable[..., Any],
    action: Callable[[Data], Any],
    *,
    by: Collection[Any],
    inputs: Collection[Any],
    outputs: Collection[Any],
) -> None:
    """Answer an event, and again at the end of the answer where the values have changed meanwhile.

    Gradio 3 passes over an event whose handler is still answering an earlier one.

    Parameters
    ----------
    by
        The components, among ``inputs``, whose values decide about the answer.
    action
        From the values to updates of ``outputs``: a list, or the one update of a single output.
    """
    answered, outputs = gr.State(None), list(outputs)

    def answer(data: Data) -> list[Any]:
        updates = action(data)
        return [values(data), *(updates if isinstance(updates, list) else [updates])]

    def answer_if_changed(data: Data) -> list[Any]:
        return answer(data) if values(data) != data[answered] else [gr.update()] * (1 + len(outputs))

    def values(data: Data) -> int:
        # Not the values themselves, which may be long and would be kept for every page.
        return hash(repr([data[one] for one in by]))

    options = {"inputs": {*inputs, answered}, "outputs": [answered, *outputs], **QUIET}
    event(quick(answer), **options).then(quick(answer_if_changed), **options)
