"""What each command does. Heavy imports are inside: ``--help`` answers at once."""

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
from lib_ti.paths import as_path
from lib_ti.signals import Control, LogMessage
from lib_ti.wording import counted, quoted

if TYPE_CHECKING:
    from lib_ti.embedding.contents import Contents

DEMO_STEPS = 500
PREVIEW = "the preview image of an embedding, without an embedding in it"
SAMPLE_STYLE = "outlined+glowing"


def create(arguments: argparse.Namespace, control: Control) -> int:
    from lib_ti.training.create import create as create_embedding

    config = read_config(CreateConfig, arguments)
    created = create_embedding(embedded_host(arguments), config)
    _say(f"Created {created.path} with {counted(config.vectors, 'vector')} from {quoted(config.text)}.")
    for note in (*created.notes, *created.warnings):
        _say(note)
    return DONE


def train(arguments: argparse.Namespace, control: Control) -> int:
    if arguments.check:
        return check(arguments, control)
    from lib_ti.training.run import train as train_embedding

    listen = JsonLines() if arguments.json else Console()
    config = read_config(TrainConfig, arguments, lambda text: listen(LogMessage(text)))
    host = embedded_host(arguments)
    finished = train_embedding(host, config, listen, control, new_data=arguments.new_data)
    return DONE if finished.reason == "done" else STOPPED


def generate(arguments: argparse.Namespace, control: Control) -> int:
    from lib_ti.embedding import library
    from lib_ti.host.base import SessionOptions
    from lib_ti.host.model import ImageRequest
    from lib_ti.training.images.previews import infotext, save_picture

    config = read_config(GenerateConfig, arguments)
    if config.seed + config.count > 2**32:
        raise BadInput(f"{config.count} pictures from seed {config.seed} go beyond 4294967295; give a smaller seed.")
    host = embedded_host(arguments)
    first = config.seed if config.seed >= 0 else random.SystemRandom().randrange(2**32 - config.count)
    with host.models.session(SessionOptions()) as model:
        embeddings, skipped = library.load_folder(host.folders.embeddings, model.info)
        for reason in skipped:
            _say(reason)
        for seed in range(first, first + config.count):
            if control.stop_requested:
                return STOPPED
            request = ImageRequest(
                prompt=config.prompt,
                negative_prompt=config.negative,
                steps=config.steps,
                sampler=config.sampler,
                scheduler=config.scheduler,
                cfg_scale=config.cfg,
                seed=seed,
                width=config.width or model.info.size,
                height=config.height or model.info.size,
            )
            picture = model.generate(request, embeddings)
            path = _free(Path(config.output), seed)
            save_picture(path, picture, infotext(request, model.info))
            used = model.used_embeddings(request, embeddings)
            _say(f"{path} (seed {seed}, {'with ' + ', '.join(used) if used else 'no embedding in the prompts'})")
    return DONE


def show(arguments: argparse.Namespace, control: Control) -> int:
    from lib_ti.embedding.reading import is_preview, read

    problems: list[str] = []
    for name in arguments.files:
        if control.stop_requested:
            return STOPPED
        try:
            path = as_path(name, "FILE")
            preview = is_preview(path) and path.is_file()
            facts = {"preview": PREVIEW} if preview else _facts(read(path))
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
    from lib_ti import aside, in_use
    from lib_ti.data.images import UnreadableImage, open_image
    from lib_ti.embedding import files, library

    source, target = as_path(arguments.source, "SOURCE"), as_path(arguments.target, "TARGET")
    _check_target(source, target)
    if target.exists() and not arguments.overwrite:
        raise BadInput(f"{target} exists already: choose another name, or add --overwrite.")
    try:
        picture = open_image(as_path(arguments.picture, "--picture")).image if arguments.picture else None
    except (UnreadableImage, OSError) as error:
        raise BadInput(f"The picture {arguments.picture} cannot be used: {error}") from error
    with in_use.held(library.target(target), "written"), aside.kept(target) as kept:
        files.convert(source, target, picture)
    _say(f"Wrote {target}.")
    if kept:
        _say(aside.sentence([kept]))
    return DONE


def _check_target(source: Path, target: Path) -> None:
    """Raise :class:`BadInput` where ``create`` would refuse the new name; the name that a file has already may stay."""
    from lib_ti.embedding import library, names
    from lib_ti.host.clip.tokenizer import tokenize

    names.check_name(target.stem)
    if target.stem == source.stem:
        return
    names.check_not_ordinary(target.stem, len(tokenize(target.stem)))
    for other in library.read_alike(target):
        raise BadInput(f"{other} exists, and prompts cannot tell {quoted(target.stem)} from it: choose another name.")


def tab(arguments: argparse.Namespace, control: Control) -> int:
    from lib_ti.background.runs import Runs
    from lib_ti.pocket.sample_set import sample_set
    from lib_ti.ui.server.serve import serve

    dataset = ""
    if arguments.sample_pictures:
        folder = as_path(arguments.sample_pictures, "--sample-pictures")
        if not folder.exists():
            sample_set(folder, SAMPLE_STYLE)
            _say(f"Drew sample pictures with captions into {folder}.")
        dataset = str(folder)
    serve(
        embedded_host(arguments, allowed_folders=_lent_folders(arguments)),
        address=arguments.address,
        port=arguments.port,
        dataset=dataset,
        ready=lambda address: _say(f"The tab is at {address} – open it in a browser. Ctrl-C ends the program."),
    )
    runs = Runs()
    if runs.snapshot().active:
        _say("Saving the run in progress …")
        runs.stop("the end of the program")
        runs.wait()
    return DONE


def _lent_folders(arguments: argparse.Namespace) -> list[Path] | None:
    """Folders that a page may name: all for this machine alone, else those that were allowed and the present one."""
    if arguments.address in ("127.0.0.1", "::1", "localhost") and not arguments.allow:
        return None
    return [Path(), *(as_path(folder, "--allow") for folder in arguments.allow or ())]


def demo(arguments: argparse.Namespace, control: Control) -> int:
    from lib_ti.cli.demo import run_demo

    if arguments.steps < 1:
        raise BadInput(f"--steps is {arguments.steps}; give at least 1.")
    done = run_demo(as_path(arguments.folder, "--folder"), arguments.steps, Console(), control)
    return DONE if done else STOPPED


def _facts(embedding: Contents) -> dict[str, Any]:
    """What a person wants to know of an embedding, in the order in which it is read."""
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
        **{key.replace("_", " "): value for key, value in embedding.recipe.items() if key not in ("settings", "run")},
        "settings": settings or "",
    }


def _free(folder: Path, seed: int) -> Path:
    """A file name that is not taken: ``00001-<seed>.png`` and so on, as the WebUI numbers its pictures."""
    taken = [int(path.name.split("-")[0]) for path in folder.glob("[0-9]*-*.png") if path.name.split("-")[0].isdigit()]
    return folder / f"{max(taken, default=0) + 1:05}-{seed}.png"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
