"""Events of HTML whose content has changed.

Gradio 4 reports a change of every ``gr.HTML`` whenever anything on the page is updated, so that an event for it would
be answered without end. Instead, ``javascript/ti_html_changes.js`` compares the contents and counts their changes.
"""

from __future__ import annotations

from collections.abc import Iterable

import gradio as gr

from lib_ti.ui.parts import Parts


def layout(parts: Parts, name: str, watched: Iterable[str]) -> None:
    """Add a hidden field that changes with the content of any of the watched ``gr.HTML``.

    Parameters
    ----------
    name
        Of the field in ``parts``; connect its ``change``.
    watched
        Names of the elements in ``parts``.
    """
    ids = " ".join(f"ti_{one}" for one in watched)
    watching = f'<i data-counter="ti_{name}" data-watched="{ids}"></i>'
    gr.HTML(watching, elem_id=f"ti_{name}_watched", elem_classes="ti-hidden")
    # Not invisible, since then it could not change.
    parts.keep(name, gr.Textbox("", show_label=False, elem_id=f"ti_{name}", elem_classes="ti-hidden"))
