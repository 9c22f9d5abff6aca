"""Fields into which files are dropped, or chosen with the browser's dialog; ``javascript/ti_upload_field.js`` is behind
them.

Gradio's own component forgets an upload when any other event of the page ends meanwhile. Here the page's script keeps
the files, sends them to Gradio's route, and passes what the server called them in a text field.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from lib_ti.errors import BadInput
from lib_ti.prep.incoming.archive import MOST_BYTES, MOST_FILES
from lib_ti.ui import reach
from lib_ti.ui.html.fragments import answer, escape
from lib_ti.ui.parts import Parts
from lib_ti.wording import counted


def layout(parts: Parts, name: str, label: str, *, multiple: bool = True, keeps: bool = False) -> Any:
    """Lay out a field, and return the hidden text field with what was uploaded, for :func:`read`.

    Its components are named ``name``, ``name_uploaded`` and ``name_answer``.

    Parameters
    ----------
    multiple
        Whether several files can be chosen together.
    keeps
        Whether the files stay in the field until a button uses them. Otherwise the text field has an ``input`` event
        for each upload, which :func:`answered` answers.
    """
    uploaded = f"{name}_uploaded"
    parts.html(name, _html(f"ti_{name}", label, multiple=multiple, keeps=keeps))
    parts.html(f"{name}_answer")
    text = gr.Textbox("", show_label=False, elem_id=f"ti_{uploaded}", elem_classes="ti-hidden")
    return parts.keep(uploaded, text)


def read(text: str | None) -> list[Path]:
    """Return the uploaded files, in the order in which they were chosen.

    Raises
    ------
    BadInput
        When some are still being uploaded, or a path is none that the server gave to an upload.
    """
    if not text:
        return []
    message = _message(text)
    pending, files = message.get("pending"), message.get("files")
    if not (isinstance(files, list) and all(isinstance(one, str) for one in files) and isinstance(pending, int)):
        raise BadInput("The page sent uploaded files that cannot be read: reload the page, and choose them again.")
    if pending:
        verb = "is" if pending == 1 else "are"
        raise BadInput(
            f"{counted(pending, 'file')} {verb} not uploaded yet: wait for the upload to finish, or cancel it."
        )
    paths = [Path(one) for one in files]
    reach.check_uploads(paths)
    return paths


def read_one(text: str | None) -> Path:
    """Return the uploaded file of a field for a single one.

    Raises
    ------
    BadInput
        As :func:`read`, or when there is none.
    """
    for path in read(text):
        return path
    raise BadInput("No file was uploaded: choose one.")


def answered(text: str | None, *, refused: bool = False) -> str:
    """Return the answer to an upload as HTML, without which the page offers to send it again.

    Parameters
    ----------
    refused
        Whether the page keeps the files, so that they can be sent again later.
    """
    return answer(str(_message(text or "").get("number", "")), "", failed=refused)


def _message(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _html(name: str, label: str, *, multiple: bool, keeps: bool) -> str:
    files, drop = ("multiple", "Drop files here") if multiple else ("", "Drop a file here")
    return (
        f'<div class="ti-upload" data-name="{name}" data-keeps="{"yes" if keeps else "no"}" '
        f'data-most-files="{MOST_FILES}" data-most-bytes="{MOST_BYTES}">'
        f'<label><span class="ti-upload-label">{escape(label)}</span>'
        f'<input type="file" {files}>'
        f'<span class="ti-upload-hint">{drop}<small>– or –</small>Click to choose</span></label>'
        '<ul class="ti-upload-files"></ul><div class="ti-upload-notes" role="status"></div>'
        '<div class="ti-upload-state"></div></div>'
    )
