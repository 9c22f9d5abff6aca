"""Settings, plans and preparations of a folder of small images, for the tests of this folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lib_ti.config import PrepareConfig
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.manifest import Result, update_edits, update_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.execute import PreparationSummary, execute_plan
from lib_ti.prep.recipe.plan import Plan, make_plan
from tests.data.conftest import ImageFolder
from tests.fakes import FakeHost


def settings(images: ImageFolder, **values) -> PrepareConfig:
    output = images.path.parent / "prepared"
    return PrepareConfig(**{"source": str(images.path), "output": str(output), "width": 64, "height": 64, **values})


def centred(images: ImageFolder, **values) -> PrepareConfig:
    """As :func:`settings`, cropped in the middle, so that no saliency is computed."""
    return settings(images, **{"framing": "centre", **values})


def edit(plan: Plan, name: str, **values) -> None:
    digest = next(one.spec.item.digest for one in plan.results if one.spec.item.path.name == name)
    update_edits(plan.folder, lambda edits: edits.with_image(digest, replace(edits.of(digest, name), **values)))


def pretend_made(plan: Plan) -> None:
    """Write what a run would have left, without images in it."""
    results = []
    plan.folder.path.mkdir(exist_ok=True)
    for one in plan.results:
        wanted = one.spec
        plan.folder.image(one.name).write_bytes(b"")
        results.append(
            Result(
                one.name,
                one.name_template,
                wanted.item.path.name,
                wanted.item.digest,
                wanted.key,
                wanted.automatic,
                wanted.flipped,
                wanted.crop_box or CropBox(0, 0, 1, 1),
                digest="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # of no bytes
            )
        )
    settings = {"source": str(Path(plan.config.source).resolve())}
    update_manifest(plan.folder, lambda before: replace(before, settings=settings, results=tuple(results)))


def by_name(plan: Plan) -> dict[str, str]:
    """What each result is of: the source's name, with ~ where it is mirrored, and the frame's left edge."""
    return {
        one.name: f"{'~' * one.spec.flipped}{one.spec.item.path.name}"
        + (f" {one.spec.crop_box.x:.2f}" if one.spec.crop_box and not one.spec.automatic else "")
        for one in plan.results
    }


def carried_out(plan: Plan, **options) -> PreparationSummary:
    return execute_plan(plan, **{"progress": lambda *_: None, "stop": lambda: False, **options})


def prepared(images: ImageFolder, *, host: FakeHost | None = None, **values) -> PreparationSummary:
    plan = make_plan(centred(images, **values), host.tools.upscalers if host else ())
    return carried_out(plan, tools=host.tools if host else None)


def files(folder: PreparedFolder) -> list[str]:
    """What training would see, and what was put aside."""
    inner = [f"removed/{path.name}" for path in folder.removed.iterdir()] if folder.removed.exists() else []
    return sorted(inner) + sorted(path.name for path in folder.path.iterdir() if path.is_file())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
