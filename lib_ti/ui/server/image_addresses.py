"""Addresses of images for pages, so that a browser loads only the visible ones of a thousand.

An address is signed with a secret of this process: only a page that received it can request the image, whatever else
the server allows its visitors, and nobody can request another file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse

from lib_ti.errors import UserError, os_problem
from lib_ti.lazy import lazy
from lib_ti.ui.html.tile import MEDIA_TYPE, tile
from lib_ti.wording import printable

if TYPE_CHECKING:
    from lib_ti.data.images import decode
    from lib_ti.prep import thumbnails
else:
    decode = lazy("lib_ti.data.images.decode")
    thumbnails = lazy("lib_ti.prep.thumbnails")

ROUTE = "ti-image"
THUMBNAIL, LARGE = 256, 1024
"""Longest sides of served images in pixels."""
AS_IT_IS = 0
"""In place of a size: the file itself, in a format that browsers show."""
_SECRET = secrets.token_bytes(32)
_KEEP = {"Cache-Control": "private, max-age=86400"}


def address(path: Path, size: int = THUMBNAIL) -> str:
    """Return the address of the image at a path, relative to the page; it changes with the file."""
    name = base64.urlsafe_b64encode(str(path.absolute()).encode("utf-8", "surrogateescape")).decode()
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return f"{ROUTE}?{urlencode({'name': name, 'size': size, 'changed': changed, 'sign': _sign(name, size)})}"


def add_route(app: FastAPI, cache: Path) -> None:
    """Serve the addresses; ``cache`` is the folder of the thumbnails.

    For a file that cannot be shown, a placeholder with the reason is served: pages list files without opening them.
    """

    def image(name: str, size: int, sign: str) -> Response:
        if not hmac.compare_digest(sign.encode(), _sign(name, size).encode()):
            return Response("This address belongs to another session: reload the page.", status_code=403)
        path = Path(base64.urlsafe_b64decode(name).decode("utf-8", "surrogateescape"))
        if size == AS_IT_IS:
            return FileResponse(path, headers=_KEEP) if os.path.isfile(path) else _missing("the file is not there")
        try:
            thumbnail = thumbnails.Thumbnails(cache, size).of(path)
            return FileResponse(thumbnail, media_type="image/jpeg", headers=_KEEP)
        except decode.UnreadableImage as error:
            return _missing(error.reason)
        except UserError as error:
            return _missing(str(error))
        except OSError as error:
            return _missing(os_problem(error))

    # A plain function, which FastAPI runs in a thread.
    handler: Any = image
    app.add_api_route(f"/{ROUTE}", handler, methods=["GET"], include_in_schema=False, response_class=FileResponse)


def _missing(sentence: str) -> Response:
    return Response(tile(printable(sentence)), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def _sign(name: str, size: int) -> str:
    return hmac.new(_SECRET, f"{size} {name}".encode(), hashlib.sha256).hexdigest()
