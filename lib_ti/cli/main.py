"""The commands and their exit codes: 0 done, 1 failed, 2 bad input, 130 stopped by the user."""

from __future__ import annotations

import argparse
import io
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from lib_ti import __version__
from lib_ti.cli import caption, commands, prepare
from lib_ti.cli.arguments import add_settings
from lib_ti.cli.host import MODEL, add_host
from lib_ti.config import CreateConfig, GenerateConfig, TrainConfig
from lib_ti.errors import ErrorReport, UserError, describe_error
from lib_ti.signals import Control

Command = Callable[[argparse.Namespace, Control], int]
"""Returns the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        # Consoles that know few characters, as on Windows, must not end a run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace", encoding="utf-8" if getattr(arguments, "json", False) else None)
    control = Control()
    try:
        with _stopping(control):
            return int(arguments.run(arguments, control))
    except (UserError, OSError, KeyboardInterrupt) as error:
        report = describe_error(error)
        _print_errors(report, as_json=getattr(arguments, "json", False))
        return report.exit_code


def _print_errors(report: ErrorReport, *, as_json: bool) -> None:
    if as_json and report.sentences:
        content = {"event": "Error", "problems": report.sentences, "exit_code": report.exit_code}
        sys.stdout.write(json.dumps(content) + "\n")
        return
    for sentence in report.sentences:
        sys.stderr.write(f"error: {sentence}\n")


@contextmanager
def _stopping(control: Control) -> Iterator[None]:
    """The first Ctrl-C asks the run to stop after its step, a second one ends it at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        if control.stop_requested:
            raise KeyboardInterrupt
        control.stop("Ctrl-C" if number == signal.SIGINT else "a signal to terminate")
        sys.stderr.write("\nStopping after this step; press Ctrl-C again to end at once.\n")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lib_ti",
        description="Train Textual Inversion embeddings for Stable Diffusion 1 checkpoints, without a WebUI.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad input, 130 stopped.",
    )
    parser.add_argument("--version", action="version", version=f"lib_ti {__version__}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.set_defaults(run=run)
        return sub

    sub = add("create", commands.create, "Create an embedding to train.")
    add_host(sub)
    add_settings(sub, CreateConfig, positional="name")

    sub = add("train", commands.train, "Train an embedding, or resume its run.")
    add_host(sub)
    sub.add_argument(
        "--config",
        metavar="FILE",
        help="settings as JSON, also a settings-*.json of an earlier run, here or in the WebUI's own Train tab",
    )
    sub.add_argument("--json", action="store_true", help="write events as JSON lines, for programs")
    sub.add_argument(
        "--check",
        action="store_true",
        help="report everything that speaks for or against the run, and do not start it; exit code 1 for a problem",
    )
    sub.add_argument(
        "--new-data",
        action="store_true",
        help="continue an embedding on other images than so far, in a new run folder",
    )
    add_settings(sub, TrainConfig, positional="name")

    sub = add("prepare", prepare.prepare, "Prepare source images for training.")
    prepare.add_options(sub)

    sub = add("generate", commands.generate, "Generate images; prompts use embeddings by their names.")
    add_host(sub)
    add_settings(sub, GenerateConfig, positional="prompt")

    caption.add_options(add("caption", caption.caption, "Write captions for the images of a folder with BLIP."))

    sub = add("show", commands.show, "Show what is in embedding files.")
    sub.add_argument("files", nargs="+", metavar="FILE")
    sub.add_argument("--json", action="store_true", help="as JSON, for programs")

    sub = add("convert", commands.convert, "Convert an embedding between .safetensors, .pt, .bin, .png and .webp.")
    sub.add_argument("source", metavar="SOURCE")
    sub.add_argument("target", metavar="TARGET")
    sub.add_argument("--image", metavar="FILE", help="image that will contain the embedding, for .png and .webp")
    sub.add_argument("--picture", dest="image", metavar="FILE", help=argparse.SUPPRESS)  # of earlier versions
    sub.add_argument("--overwrite", action="store_true", help="replace TARGET if it exists")

    sub = add("tab", commands.tab, "Serve the tab “Textual Inversion” as a page of its own, for a browser.")
    add_host(sub, *MODEL, "captioner-dir", "upscalers-dir")
    sub.add_argument("--port", type=int, default=7860, metavar="N", help="0 is any free one (default: %(default)s)")
    sub.add_argument(
        "--address",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on; other machines reach 0.0.0.0 too, without a password (default: %(default)s)",
    )
    sub.add_argument(
        "--allow",
        action="append",
        metavar="DIR",
        help="with another address: folder that pages may use besides the current one",
    )
    sub.add_argument(
        "--sample-images", metavar="DIR", help="dataset to begin with; sample images are created if it is missing"
    )
    sub.add_argument(
        "--sample-pictures", dest="sample_images", metavar="DIR", help=argparse.SUPPRESS
    )  # earlier versions

    sub = add("demo", commands.demo, "Train a style on the included pocket model; takes about 3 minutes.")
    sub.add_argument("--folder", default="demo", metavar="DIR", help="folder for everything (default: demo)")
    sub.add_argument(
        "--steps", type=int, default=commands.DEMO_STEPS, metavar="N", help="training steps (default: %(default)s)"
    )
    return parser
