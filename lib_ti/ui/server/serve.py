"""The tab as a web page of its own: a small server with the extension's style sheet and scripts."""

from __future__ import annotations

import signal
import socket
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI

from lib_ti.config import TrainConfig
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.ui.server import image_addresses
from lib_ti.ui.tab import build

ROOT = Path(__file__).resolve().parents[3]
STYLE = ROOT / "style.css"
SCRIPTS = ROOT / "javascript"

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


def serve(host: Host, *, address: str, port: int, dataset: str, ready: Callable[[str], None]) -> None:
    """Serve the tab until the process is terminated.

    Parameters
    ----------
    address
        An address of this machine; ``127.0.0.1`` makes the page available to this machine only.
    dataset
        Default folder of images.
    ready
        Called with the page's address once it can be opened.

    Raises
    ------
    BadInput
        When the port is in use or this machine does not have the address.
    """
    listening = _listen(address, port)
    app = make_app(host, dataset=dataset)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    server = _Server(config, lambda: ready(f"http://{address}:{listening.getsockname()[1]}"))
    # Uvicorn installs its own handlers while it serves, and raises the signal again afterwards.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with listening:
            server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_app(host: Host, *, dataset: str = "") -> FastAPI:
    """The web application."""
    # System fonts: those of Gradio's theme are downloaded.
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    blocks = build(host, dataset=dataset, css=STYLE.read_text(encoding="utf-8"), theme=theme)
    app = FastAPI()
    image_addresses.add_route(app, Path(TrainConfig.log_directory) / ".thumbnails")
    gr.mount_gradio_app(app, blocks.queue(), path="/")
    # All files of the folder in the order of their names, as the WebUI loads them.
    app.add_middleware(WithScripts, scripts=[path.read_text(encoding="utf-8") for path in sorted(SCRIPTS.glob("*.js"))])
    return app


class _Server(uvicorn.Server):
    """Calls back when it has started; FastAPI's own way differs between versions."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()


class WithScripts:
    """Adds the tab's scripts to the page, in a way that works with every version of Gradio."""

    def __init__(self, app: Any, scripts: Sequence[str]) -> None:
        tags = "".join(f"<script>{script}</script>" for script in scripts)
        self._app, self._tags = app, f"{tags}</head>".encode()

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        # The page is a few kilobytes: it is buffered, and sent with its new length.
        started: list[Message] = []
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            page = bytes(body).replace(b"</head>", self._tags, 1)
            start = started[0]
            kept = [(key, value) for key, value in start["headers"] if key.lower() != b"content-length"]
            start["headers"] = [*kept, (b"content-length", str(len(page)).encode())]
            await send(start)
            await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, collect)


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            f"Port {port} of {address} cannot be used ({reason}). Another program may use it: choose one with --port."
        ) from error
    return listening
