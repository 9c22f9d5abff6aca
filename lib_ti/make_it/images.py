"""The phases that make a training set of images: bring in, inspect, prepare, caption."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib_ti.config import CaptionConfig, InspectConfig, PrepareConfig, from_mapping, to_mapping, with_present_names
from lib_ti.data.beside.captions import read_caption
from lib_ti.data.beside.companions import Beside
from lib_ti.data.folder import list_files
from lib_ti.data.preparations import exclusions
from lib_ti.errors import BadInput
from lib_ti.make_it import exclusion
from lib_ti.make_it.making import Making, Outcome
from lib_ti.prep.captions import captioning
from lib_ti.prep.edits import Edits
from lib_ti.prep.incoming.bring_in import bring_in
from lib_ti.prep.inspect.report import inspect_folder
from lib_ti.prep.manifest import captions_from_file_names, read_manifest, update_edits
from lib_ti.prep.prepared import images_in
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.wording import counted, some

EXCLUDED = "excluded"
"""Fact: images were excluded once; what a person decided since then counts."""
TEMPLATE = "template"
"""Fact: name of the prompt template that fits the captions."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_NAMED = 5
_WORDS_OF_A_CAPTION = 2
"""Words from which on a file name describes the image: “red house”, and not “IMG_2041”."""


def bring(making: Making) -> Outcome:
    """Bring in the files that were given; nothing where the images are in a folder already."""
    if not making.state.incoming:
        return Outcome((f"The images are in {making.source}.",))
    files = [Path(path) for path in making.state.incoming]
    done = bring_in(files, making.source, progress=making.progress("Bringing images in"), stop=making.stop)
    return Outcome(done.describe())


def inspect(making: Making) -> Outcome:
    """Inspect the images, and exclude the unusable ones."""
    size = making.host.models.size
    report = inspect_folder(
        making.source,
        InspectConfig(width=size, height=size),
        cache_folder=making.folder.inspection,
        progress=making.progress("Inspecting images"),
        stop=making.stop,
    )
    if not report.images:
        raise BadInput(_no_image(making.source, [str(one) for one in report.skipped[:_NAMED]]))
    chosen = exclusion.choose(report)
    said = chosen.describe()
    if EXCLUDED in making.state.facts:
        said = ("What is excluded stays as it was left.",)
    elif chosen.images:

        def exclude(edits: Edits) -> Edits:
            for image, _ in chosen.images:
                one = edits.of(image.measured.digest, image.measured.name)
                edits = edits.with_image(image.measured.digest, replace(one, excluded=True))
            return edits

        update_edits(making.folder, exclude)
    skipped = [f"{one.shown} ({one.reason})" for one in report.skipped]
    unreadable = [f"Not used: {some(skipped)}."] if skipped else []
    found = f"{counted(len(report.images), 'image')} inspected for {size} × {size} pixels."
    return Outcome((found, *unreadable, *said), {EXCLUDED: True})


def _no_image(folder: Path, skipped: list[str]) -> list[str]:
    """Return why a folder has nothing to train on, and where its sub-folders have images."""
    found = [f"There is no image in {folder} that can be read: choose another folder.", *skipped]
    if below := list_files(folder).unsearched:
        names = [f"{name} ({counted(number, 'image')})" for name, number in below.items()]
        found.append(f"There are images in its sub-folders, of which one can be chosen: {some(names)}.")
    return found


def prepare(making: Making) -> Outcome:
    """Crop the images, and scale them to the model's size; earlier settings of the prepared folder stay."""
    config, size = making.config, making.host.models.size
    saved = with_present_names(PrepareConfig, read_manifest(making.folder).settings)
    known = to_mapping(PrepareConfig())
    former = {name: value for name, value in saved.items() if name in known}
    values = {"name": config.keyword, "name_captions": True, **former}
    values |= {"source": config.images, "output": str(making.folder.path), "width": size, "height": size}
    tools = making.host.tools
    plan = make_plan(from_mapping(PrepareConfig, values, source="the prepared folder"), tools.upscalers)
    if not plan.results:
        raise BadInput(f"All images in {making.source} are excluded: include some in Dataset, Inspect.")
    done = execute_plan(
        plan, tools=tools, progress=making.progress("Preparing images"), stop=making.stop, report=making.report
    )
    upscaled = sum(one.spec.factor > 1 for one in plan.results)
    larger = f", {upscaled} of them upscaled" if upscaled else ""
    made = f"{counted(len(plan.results), 'image')} of {size} × {size} pixels in {making.folder.path}{larger}."
    failed = [f"Not used: {some([str(one) for one in done.failed])}"] if done.failed else []
    return Outcome((made, *failed, *done.notes))


def caption(making: Making) -> Outcome:
    """Caption the images that have no caption, where there is a captioner, and choose the prompt template."""
    before, sentences = _captions(making.folder.path), []
    captioners = making.host.tools.captioners
    if before.without and captioners:
        try:
            done = captioning.caption_with_host(
                making.host,
                making.folder.path,
                CaptionConfig(),
                report=making.report,
                progress=making.progress("Captioning images"),
                stop=making.stop,
            )
        except BadInput as error:
            sentences.append(f"No captions were written: {error}")
        else:
            sentences += done.describe()
    now = _captions(making.folder.path)
    if now.without:
        sentences.append(_on_missing(now))
    elif not before.without:
        sentences.append(f"All of the {counted(now.own, 'image')} have a caption.")
    named = now.useful >= (now.own + len(now.without)) / 2
    return Outcome(tuple(sentences), {TEMPLATE: f"{making.config.kind}{'_filewords' if named else ''}"})


@dataclass(frozen=True)
class _Captions:
    """Captions of a prepared folder: images with one of their own, and those whose caption is their file name."""

    own: int
    without: Sequence[str]
    described: int
    """Number of the latter whose file name describes the image."""

    @property
    def useful(self) -> int:
        return self.own + self.described


def _captions(folder: Path) -> _Captions:
    excluded, from_names, beside = exclusions(folder).results, captions_from_file_names(folder), Beside(folder)
    own, without, described = 0, [], 0
    for image in images_in(folder):
        if image.name in excluded:
            continue
        found = read_caption(image, beside)
        if found.source == "file" and found.text and found.text != from_names.get(image.name):
            own += 1
        else:
            without.append(image.name)
            described += len(_WORD.findall(from_names.get(image.name, ""))) >= _WORDS_OF_A_CAPTION
    return _Captions(own, without, described)


def _on_missing(captions: _Captions) -> str:
    count = len(captions.without)
    by_name = captions.described >= count / 2
    instead = "their file names are used" if by_name else "the keyword alone stands for all of the image"
    return (
        f"{counted(count, 'image')} without a caption: {instead}. Captions that say what else an image shows let the "
        "keyword learn only what the images have in common; write them in Dataset, Captions."
    )
