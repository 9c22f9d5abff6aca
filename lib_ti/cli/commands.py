"""The commands."""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.cli.arguments import read_config
from lib_ti.cli.check import check
from lib_ti.cli.exit_codes import DONE, STOPPED
from lib_ti.cli.host import embedded_host
from lib_ti.cli.progress import Console, JsonLines
from lib_ti.config import CreateConfig, GenerateConfig, TrainConfig
from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.paths import as_path
from lib_ti.signals import Control, LogMessage
from lib_ti.wording import counted, quoted

if TYPE_CHECKING:
    from lib_ti.background import runs
    from lib_ti.cli import demo as demo_command
    from lib_ti.data.images import decode as images
    from lib_ti.embedding import files, library, names
    from lib_ti.embedding.formats import reading
    from lib_ti.embedding.formats.contents import Contents
    from lib_ti.host import base, model
    from lib_ti.host.clip import tokenizer
    from lib_ti.pocket import sample_set
    from lib_ti.storage import aside, in_use
    from lib_ti.training import create as creation
    from lib_ti.training import run
    from lib_ti.training.images import previews
    from lib_ti.ui.server import serve
else:
    aside, in_use = lazy("lib_ti.storage.aside"), lazy("lib_ti.storage.in_use")
    runs = lazy("lib_ti.background.runs")
    demo_command = lazy("lib_ti.cli.demo")
    images = lazy("lib_ti.data.images.decode")
    files, library = lazy("lib_ti.embedding.files"), lazy("lib_ti.embedding.library")
    names, reading = lazy("lib_ti.embedding.names"), lazy("lib_ti.embedding.formats.reading")
    base, model = lazy("lib_ti.host.base"), lazy("lib_ti.host.model")
    tokenizer = lazy("lib_ti.host.clip.tokenizer")
    sample_set = lazy("lib_ti.pocket.sample_set")
    creation, run = lazy("lib_ti.training.create"), lazy("lib_ti.training.run")
    previews = lazy("lib_ti.training.images.previews")
    serve = lazy("lib_ti.ui.server.serve")

DEMO_STEPS = 500
HIDDEN = ("settings", "run", "initial_norms")
"""Parts of a recipe that are shown in another way, or mean something to programs only."""
PREVIEW = "the preview image of an embedding, without an embedding in it"
SAMPLE_STYLE = "outlined+glowing"


def create(arguments: argparse.Namespace, control: Control) -> int:
    config = read_config(CreateConfig, arguments)
    created = creation.create(embedded_host(arguments), config)
    by_words = config.initialization == "words" and not config.init_from
    start = f" from {quoted(config.text)}" if by_words else ""
    _say(f"Created {created.path} with {counted(config.vectors, 'vector')}{start}.")
    for note in (*created.notes, *created.warnings):
        _say(note)
    return DONE


def train(arguments: argparse.Namespace, control: Control) -> int:
    if arguments.check:
        return check(arguments, control)
    listen = JsonLines() if arguments.json else Console()
    config = read_config(TrainConfig, arguments, lambda text: listen(LogMessage(text)))
    host = embedded_host(arguments)
    finished = run.train(host, config, listen, control, new_data=arguments.new_data)
    return DONE if finished.reason == "done" else STOPPED


def generate(arguments: argparse.Namespace, control: Control) -> int:
    config = read_config(GenerateConfig, arguments)
    if config.seed + config.count > 2**32:
        raise BadInput(f"{config.count} images from seed {config.seed} go beyond 4294967295; give a smaller seed.")
    host = embedded_host(arguments)
    first = config.seed if config.seed >= 0 else random.SystemRandom().randrange(2**32 - config.count)
    with host.models.session(base.SessionOptions()) as acquired:
        embeddings, skipped = library.load_folder(host.folders.embeddings, acquired.info)
        for reason in skipped:
            _say(reason)
        for seed in range(first, first + config.count):
            if control.stop_requested:
                return STOPPED
            request = model.ImageRequest(
                prompt=config.prompt,
                negative_prompt=config.negative,
                steps=config.steps,
                sampler=config.sampler,
                scheduler=config.scheduler,
                cfg_scale=config.cfg,
                seed=seed,
                width=config.width or acquired.info.size,
                height=config.height or acquired.info.size,
            )
            image = acquired.generate(request, embeddings)
            path = _free(Path(config.output), seed)
            previews.save_image(path, image, previews.infotext(request, acquired.info))
            used = acquired.used_embeddings(request, embeddings)
            _say(f"{path} (seed {seed}, {'with ' + ', '.join(used) if used else 'no embedding in the prompts'})")
    return DONE


def show(arguments: argparse.Namespace, control: Control) -> int:
    problems: list[str] = []
    for name in arguments.files:
        if control.stop_requested:
            return STOPPED
        try:
            path = as_path(name, "FILE")
            preview = reading.is_preview(path) and path.is_file()
            facts = {"preview": PREVIEW} if preview else _facts(reading.read(path))
        except BadInput as error:
            problems += error.problems
            continue
        if arguments.json:
            _say(json.dumps({"file": name, **facts}, ensure_ascii=False))
        else:
            lines = [f"  {key}: {value}" for key, value in facts.items() if value not in ("", None)]
            _say("\n".join([name, *lines]))
    if problems:
        raise BadInput(problems)
    return DONE


def convert(arguments: argparse.Namespace, control: Control) -> int:
    source, target = as_path(arguments.source, "SOURCE"), as_path(arguments.target, "TARGET")
    _check_target(source, target)
    if target.exists() and not arguments.overwrite:
        raise BadInput(f"{target} exists already: choose another name, or add --overwrite.")
    try:
        image = images.open_image(as_path(arguments.image, "--image")).image if arguments.image else None
    except (images.UnreadableImage, OSError) as error:
        raise BadInput(f"The image {arguments.image} cannot be used: {error}") from error
    with in_use.held(library.target(target), "written"), aside.kept(target) as kept:
        files.convert(source, target, image)
    _say(f"Wrote {target}.")
    if kept:
        _say(aside.sentence([kept]))
    return DONE


def _check_target(source: Path, target: Path) -> None:
    """Raise :class:`BadInput` where ``create`` would refuse the new name; the present name may stay."""
    names.check_name(target.stem)
    if target.stem == source.stem:
        return
    names.check_not_ordinary(target.stem, len(tokenizer.tokenize(target.stem)))
    for other in library.read_alike(target):
        raise BadInput(f"{other} exists, and prompts cannot tell {quoted(target.stem)} from it: choose another name.")


def tab(arguments: argparse.Namespace, control: Control) -> int:
    dataset = ""
    if arguments.sample_images:
        folder = as_path(arguments.sample_images, "--sample-images")
        if not folder.exists():
            sample_set.sample_set(folder, SAMPLE_STYLE)
            _say(f"Sample images with captions were written into {folder}.")
        dataset = str(folder)
    serve.serve(
        embedded_host(arguments, allowed_folders=_allowed_folders(arguments)),
        address=arguments.address,
        port=arguments.port,
        dataset=dataset,
        ready=lambda address: _say(f"The tab is at {address} – open it in a browser. Ctrl-C ends the program."),
    )
    current = runs.Runs()
    if current.snapshot().active:
        _say("Saving the run in progress …")
        current.stop("the end of the program")
        current.wait()
    return DONE


def _allowed_folders(arguments: argparse.Namespace) -> list[Path] | None:
    """Return the folders that a page may name: all (None) when only this machine reaches it, else the allowed ones."""
    if arguments.address in ("127.0.0.1", "::1", "localhost") and not arguments.allow:
        return None
    return [Path(), *(as_path(folder, "--allow") for folder in arguments.allow or ())]


def demo(arguments: argparse.Namespace, control: Control) -> int:
    if arguments.steps < 1:
        raise BadInput(f"--steps is {arguments.steps}; give at least 1.")
    folder = as_path(arguments.folder, "--folder")
    done = demo_command.run_demo(folder, arguments.family, arguments.steps, Console(), control)
    return DONE if done else STOPPED


def _facts(embedding: Contents) -> dict[str, Any]:
    """Return what to show of an embedding, in that order."""
    norms = {key: round(length, 4) for key, length in embedding.mean_lengths.items()}
    settings = embedding.recipe.get("settings")
    return {
        "name": embedding.name,
        "family": embedding.family,
        "vectors": embedding.count,
        "widths": embedding.widths,
        "mean length of a vector": norms,
        "steps": embedding.step,
        "model": " ".join(filter(None, (embedding.model_name, embedding.model_hash and f"[{embedding.model_hash}]"))),
        **{key.replace("_", " "): value for key, value in embedding.recipe.items() if key not in HIDDEN},
        "settings": settings or "",
    }


def _free(folder: Path, seed: int) -> Path:
    """Return a free file name: ``00001-<seed>.png`` and so on, as the WebUI numbers its images."""
    taken = [int(path.name.split("-")[0]) for path in folder.glob("[0-9]*-*.png") if path.name.split("-")[0].isdigit()]
    return folder / f"{max(taken, default=0) + 1:05}-{seed}.png"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
