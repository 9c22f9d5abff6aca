"""The commands and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from lib_ti import __version__
from lib_ti.cli import caption, commands, make, prepare, suggest, vectors
from lib_ti.cli.arguments import add_settings
from lib_ti.cli.host import MODEL, add_host
from lib_ti.config import CreateConfig, GenerateConfig, TrainConfig
from lib_ti.pocket import CHECKPOINTS
from lib_ti.signals import Control

Command = Callable[[argparse.Namespace, Control], int]
"""Returns the exit code."""
AddOptions = Callable[[argparse.ArgumentParser], None]
COMMANDS: dict[str, tuple[Command, str]] = {
    "make": (make.make, "Make a keyword of a folder of images: all of the following in one go."),
    "create": (commands.create, "Create an embedding to train."),
    "suggest": (suggest.suggest, "Find a word to start an embedding from: words ranked by the model's loss."),
    "train": (commands.train, "Train an embedding, or resume its run."),
    "prepare": (prepare.prepare, "Prepare source images for training."),
    "generate": (commands.generate, "Generate images; prompts use embeddings by their names."),
    "caption": (caption.caption, "Write captions for the images of a folder with BLIP."),
    "vectors": (vectors.vectors, "Compare an embedding's losses with fewer vectors, and keep the first ones."),
    "show": (commands.show, "Show what is in embedding files."),
    "convert": (commands.convert, "Convert an embedding between .safetensors, .pt, .bin, .png and .webp."),
    "tab": (commands.tab, "Serve the tab “Textual Inversion” as a page of its own, for a browser."),
    "demo": (commands.demo, "Train a style on an included pocket model; takes about 3 minutes."),
}


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; the parsed ``run`` is the :data:`Command`."""
    parser = argparse.ArgumentParser(
        prog="python -m lib_ti",
        description="Train Textual Inversion embeddings for SD 1, SD 2 and SDXL checkpoints, without a WebUI.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad input, 130 stopped.",
    )
    parser.add_argument("--version", action="version", version=f"lib_ti {__version__}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, (run, text) in COMMANDS.items():
        command = subparsers.add_parser(name, help=text, description=text, allow_abbrev=False)
        command.set_defaults(run=run)
        _OPTIONS[name](command)
    return parser


def _create(parser: argparse.ArgumentParser) -> None:
    add_host(parser)
    add_settings(parser, CreateConfig, positional="name")


def _train(parser: argparse.ArgumentParser) -> None:
    add_host(parser)
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="settings as JSON, also a settings-*.json of an earlier run, here or in the WebUI's own Train tab",
    )
    parser.add_argument("--json", action="store_true", help="write events as JSON lines, for programs")
    parser.add_argument(
        "--check",
        action="store_true",
        help="report everything that speaks for or against the run, and do not start it; exit code 1 for a problem",
    )
    parser.add_argument(
        "--new-data",
        action="store_true",
        help="continue an embedding on other images than so far, in a new run folder",
    )
    add_settings(parser, TrainConfig, positional="name")


def _generate(parser: argparse.ArgumentParser) -> None:
    add_host(parser)
    add_settings(parser, GenerateConfig, positional="prompt")


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def _convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("target", metavar="TARGET")
    parser.add_argument("--image", metavar="FILE", help="image that will contain the embedding, for .png and .webp")
    parser.add_argument("--overwrite", action="store_true", help="replace TARGET if it exists")
    _add_former(parser, "--picture", "image", metavar="FILE")


def _tab(parser: argparse.ArgumentParser) -> None:
    add_host(parser, *MODEL, "captioner-dir", "captioners-dir", "upscalers-dir")
    parser.add_argument("--port", type=int, default=7860, metavar="N", help="0 is any free one (default: %(default)s)")
    parser.add_argument(
        "--address",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on; other machines reach 0.0.0.0 too, without a password (default: %(default)s)",
    )
    parser.add_argument(
        "--allow",
        action="append",
        metavar="DIR",
        help="with another address: folder that pages may use besides the current one",
    )
    parser.add_argument(
        "--sample-images", metavar="DIR", help="dataset to begin with; sample images are created if it is missing"
    )
    _add_former(parser, "--sample-pictures", "sample_images", metavar="DIR")


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", default="demo", metavar="DIR", help="folder for everything (default: demo)")
    parser.add_argument(
        "--family",
        choices=list(CHECKPOINTS),
        default="sd1",
        help="which of the included pocket models is trained (default: %(default)s)",
    )
    parser.add_argument(
        "--steps", type=int, default=commands.DEMO_STEPS, metavar="N", help="training steps (default: %(default)s)"
    )


def _add_former(parser: argparse.ArgumentParser, option: str, present: str, *, metavar: str) -> None:
    """Accept the name that an option had in earlier versions, without showing it in the help."""
    parser.add_argument(option, dest=present, metavar=metavar, help=argparse.SUPPRESS)


_OPTIONS: dict[str, AddOptions] = {
    "make": make.add_options,
    "create": _create,
    "suggest": suggest.add_options,
    "train": _train,
    "prepare": prepare.add_options,
    "generate": _generate,
    "caption": caption.add_options,
    "vectors": vectors.add_options,
    "show": _show,
    "convert": _convert,
    "tab": _tab,
    "demo": _demo,
}
