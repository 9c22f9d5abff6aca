"""Pieces of HTML for the tab. Everything that comes from files or people is escaped here, and only here."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image

from lib_ti.errors import UserError
from lib_ti.lazy import lazy
from lib_ti.wording import printable

if TYPE_CHECKING:
    from lib_ti.data.images import decode
else:
    decode = lazy("lib_ti.data.images.decode")

Kind = Literal["good", "info", "warning", "error"]
THUMBNAIL = 256
"""Longest side of thumbnails in pixels."""
_MARKS = {"good": "✓", "info": "i", "warning": "!", "error": "✗"}


def escape(text: object) -> str:
    return html.escape(printable(str(text)), quote=True)


def answer(number: str, shown: str, *, failed: bool = False, classes: str = "", **data: object) -> str:
    """The answer to a script's message of that number; see ``javascript/ti_saving.js``.

    ``shown`` is HTML. ``data`` becomes ``data-`` attributes for the script.
    """
    values = {"saved": number, **({"failed": "yes"} if failed else {}), **data}
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in values.items())
    return f'<div class="{classes}" {attributes}>{shown}</div>'


def file_name(file: Path | str) -> str:
    """A file's name, or its path from a folder, as one printable line: names may contain anything."""
    return " ".join(printable(file.name if isinstance(file, Path) else file).splitlines())


def shortened(text: str, most: int = 48) -> str:
    """A text for a button, without its end if it is too long."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def notice(kind: Kind, sentences: Iterable[str], *, title: str = "", task: int = 0) -> str:
    """A box with one line for each sentence; empty without any. Screen readers announce errors.

    With the number of a ``task``, it is about that task being in progress, and disappears when the task has ended.
    """
    items = [sentence for sentence in sentences if sentence]
    if not items and not title:
        return ""
    role = ' role="alert"' if kind == "error" else ""
    head = f'<p class="ti-title">{escape(title)}</p>' if title else ""
    waits = f' data-task="{task}"' if task else ""
    return f'<div class="ti-notice ti-{kind}"{role}{waits}>{head}{findings((kind, item) for item in items)}</div>'


def holds_error(shown: str) -> bool:
    """Whether a box shows an error."""
    return "ti-error" in shown


def holds_warning(shown: str) -> bool:
    """Whether a box shows a warning."""
    return "ti-warning" in shown


def findings(items: Iterable[tuple[Kind, str]]) -> str:
    """A list with each line marked as good, info, warning or error, also for screen readers."""
    rows = "".join(
        f'<li class="ti-{kind}"><span class="ti-mark" role="img" aria-label="{kind}">{_MARKS[kind]}</span>'
        f"<span>{escape(text)}</span></li>"
        for kind, text in items
    )
    return f'<ul class="ti-findings">{rows}</ul>' if rows else ""


def hint(text: str) -> str:
    return f'<p class="ti-hint">{escape(text)}</p>'


def empty_state(what: str, next_step: str) -> str:
    """Two lines for a page that has nothing to show yet: what it is for, and what to do."""
    return f'<div class="ti-nothing"><p>{escape(what)}</p><p class="ti-hint">{escape(next_step)}</p></div>'


def table(rows: Mapping[str, object]) -> str:
    """A table of names and values."""
    cells = "".join(f"<tr><th>{escape(key)}</th><td>{escape(value)}</td></tr>" for key, value in rows.items())
    return f'<table class="ti-table">{cells}</table>'


def folded(title: str, content: str) -> str:
    """Content that unfolds with a click on its title; empty without content."""
    if not content:
        return ""
    return f'<details class="ti-notes"><summary>{escape(title)}</summary>{content}</details>'


def keys(pressed: Mapping[str, str]) -> str:
    """A folded list of keys, with what each does."""
    rows = "".join(f"<li><kbd>{escape(key)}</kbd> {escape(what)}</li>" for key, what in pressed.items())
    return folded("Keys", f'<ul class="ti-keys">{rows}</ul>')


def bar(share: float, label: str) -> str:
    percent = 100 * min(1.0, max(0.0, share))
    return (
        f'<div class="ti-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent:.0f}" '
        f'aria-label="{escape(label)}"><div style="width:{percent:.1f}%"></div><span>{escape(label)}</span></div>'
    )


def history(what: str = "") -> str:
    """Undo and Redo buttons for a page's script; see ``javascript/ti_undo.js``."""
    return "".join(
        f'<button type="button" data-act="{way}" title="{key}">{way.capitalize()}{what}</button>'
        for way, key in (("undo", "Ctrl+Z"), ("redo", "Ctrl+Shift+Z"))
    )


def facts(items: Mapping[str, str]) -> str:
    """Numbers side by side, each under its name."""
    cells = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in items.items())
    return f'<dl class="ti-facts">{cells}</dl>'


def figure(
    path: Path, caption: str, *, detail: str = "", size: int = THUMBNAIL, classes: str = "", source: str = ""
) -> str:
    """An image with its caption, or the reason why the image cannot be read.

    The image is embedded in the page, unless ``source`` is its address, which is meant for many images.
    """
    try:
        source = source or data_uri(decode.open_image(path, cover=(size, size)).image, size)
    except (UserError, OSError) as error:
        shown = f'<div class="ti-missing">{escape(error)}</div>'
    else:
        shown = f'<img src="{escape(source)}" alt="{escape(caption)}" loading="lazy">'
    more = f'<span class="ti-hint">{escape(detail)}</span>' if detail else ""
    return (
        f'<figure class="{classes}" title="{escape(detail or caption)}">{shown}'
        f"<figcaption>{escape(caption)}{more}</figcaption></figure>"
    )


def gallery(figures: Sequence[str], classes: str = "") -> str:
    return f'<div class="ti-gallery {classes}">{"".join(figures)}</div>' if figures else ""


def data_uri(image: Image.Image, size: int) -> str:
    """Encode an image, downscaled to ``size`` pixels at most, as a data URI for an ``img`` tag.

    Not by an address, since Gradio serves only files from folders it knows, and images may be anywhere.
    """
    image = image.convert("RGB")
    if max(image.size) > size:
        image.thumbnail((size, size))
    out = io.BytesIO()
    if max(image.size) <= 96:
        # The browser upscales small images, such as those of the pocket model: JPEG blocks would show.
        image.save(out, "PNG")
        kind = "png"
    else:
        image.save(out, "JPEG", quality=88)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode()}"


def step_name(step: int) -> str:
    return "before training" if step == 0 else f"step {step}"


def duration(seconds: float) -> str:
    """``"45 s"``, ``"3 min 20 s"``, ``"2 h 5 min"``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
