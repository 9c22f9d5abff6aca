"""Images that open large, with the next and the previous one by key: one viewer for every page.

``javascript/ti_viewer.js`` opens it for each link with ``data-viewer``, which names its group; the images of a group
follow in the order of the page. Without the script the link opens the image in a tab of the browser's.
"""

from __future__ import annotations

from pathlib import Path

from lib_ti.ui.html.fragments import THUMBNAIL, escape
from lib_ti.ui.server.image_addresses import AS_IT_IS, LARGE, address

_SHOWN_BY_BROWSERS = (".png", ".jpg", ".jpeg", ".webp", ".gif")
_SMALL = 64 * 1024
"""Bytes of a file that is not worth a thumbnail, whose compression would show on a small image."""


def viewed(
    path: Path,
    caption: str,
    *,
    group: str,
    detail: str = "",
    size: int = THUMBNAIL,
    classes: str = "",
    elsewhere: bool = False,
    **data: object,
) -> str:
    """An image with its caption, which opens large.

    Parameters
    ----------
    group
        Images that are turned through with this one.
    detail
        Shown below the caption.
    size
        Longest side of the thumbnail in pixels.
    elsewhere
        Whether the image has its place in the group's order elsewhere on the page; this one only opens it there.
    data
        ``data-`` attributes of the link for a page's script.
    """
    values = {**data, "elsewhere": "yes"} if elsewhere else data
    attributes = opens_large(group, caption, detail, **values)
    more = f'<span class="ti-hint">{escape(detail)}</span>' if detail else ""
    return (
        f'<figure class="ti-viewed {classes}"><a href="{escape(_large(path))}" target="_blank" {attributes}>'
        f'<img src="{escape(_small(path, size))}" alt="{escape(caption)}" loading="lazy"></a>'
        f"<figcaption>{escape(caption)}{more}</figcaption></figure>"
    )


def opens_large(group: str, caption: str, detail: str = "", **data: object) -> str:
    """Attributes of a link to an image that opens large: as for :func:`viewed`."""
    values = {"viewer": group, "caption": caption, "detail": detail, **data}
    return " ".join(f'data-{name}="{escape(value)}"' for name, value in values.items())


def _large(path: Path) -> str:
    return address(path, AS_IT_IS if path.suffix.lower() in _SHOWN_BY_BROWSERS else LARGE)


def _small(path: Path, size: int) -> str:
    try:
        tiny = path.suffix.lower() in _SHOWN_BY_BROWSERS and path.stat().st_size <= _SMALL
    except OSError:
        tiny = False
    return address(path, AS_IT_IS if tiny else size)
