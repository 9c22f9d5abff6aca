"""Pictures for pages by address, so that a browser loads those of a thousand that can be seen.

An address is signed with a secret of this process: only a page that was given it can ask for the picture, whatever
else the server lets its visitors do, and nobody can ask for another file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse

from lib_ti.ui.html.tile import MEDIA_TYPE, tile
from lib_ti.wording import printable

ROUTE = "ti-picture"
THUMBNAIL, LARGE = 256, 1024
"""Longest sides in pixels that pictures are served at."""
AS_IT_IS = 0
"""In place of a size: the file itself, which a browser must be able to show."""
_SECRET = secrets.token_bytes(32)
_KEEP = {"Cache-Control": "private, max-age=86400"}


def address(path: Path, size: int = THUMBNAIL) -> str:
    """Where a page finds the picture at a path, seen from the page; another one once the file was changed."""
    name = base64.urlsafe_b64encode(str(path.absolute()).encode("utf-8", "surrogateescape")).decode()
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return f"{ROUTE}?{urlencode({'name': name, 'size': size, 'changed': changed, 'sign': _sign(name, size)})}"


def add_route(app: FastAPI, thumbnails: Path) -> None:
    """Serve the addresses; ``thumbnails`` is the folder where reduced pictures are kept.

    For what cannot be shown a tile with the reason is served: a page that lists many files does not know yet which can.
    """

    def picture(name: str, size: int, sign: str) -> Response:
        from lib_ti.data.images import UnreadablePicture
        from lib_ti.errors import UserError, os_problem
        from lib_ti.prep.thumbnails import Thumbnails

        if not hmac.compare_digest(sign.encode(), _sign(name, size).encode()):
            return Response("This address is of another session: load the page again.", status_code=403)
        path = Path(base64.urlsafe_b64decode(name).decode("utf-8", "surrogateescape"))
        if size == AS_IT_IS:
            return FileResponse(path, headers=_KEEP) if os.path.isfile(path) else _missing("the file is not there")
        try:
            return FileResponse(Thumbnails(thumbnails, size).of(path), media_type="image/jpeg", headers=_KEEP)
        except UnreadablePicture as error:
            return _missing(error.reason)
        except UserError as error:
            return _missing(str(error))
        except OSError as error:
            return _missing(os_problem(error))

    # A plain function, which FastAPI runs in a thread.
    handler: Any = picture
    app.add_api_route(f"/{ROUTE}", handler, methods=["GET"], include_in_schema=False, response_class=FileResponse)


def _missing(sentence: str) -> Response:
    return Response(tile(printable(sentence)), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def _sign(name: str, size: int) -> str:
    return hmac.new(_SECRET, f"{size} {name}".encode(), hashlib.sha256).hexdigest()
