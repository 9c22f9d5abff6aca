"""Text removed from all images of a folder: proposed, reviewed, kept, undone."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_ti.config import PrepareConfig
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.prep.remove.inpaint import FillMethod, mask_from_boxes
from lib_ti.prep.remove.proposals import Proposals
from lib_ti.prep.remove.removal import remove_region
from lib_ti.prep.remove.remove_text import TextProposals, keep, pending, propose_text_removals, undo_keep
from lib_ti.prep.sources import find_image
from tests.fakes import FakeHost
from tests.prep.conftest import save
from tests.prep.photographs import letter, photograph

AT_LEAST = 1.0
LETTERED = {
    "coffee.png": letter("© my coffee blog", height=0.06, place=(0.1, 0.9), font="DejaVuSans-Bold"),
    "rocket.jpg": letter("www.example-photos.com", height=0.05, place=(0.9, 0.95)),
    "cat.png": letter("SAMPLE IMAGE", height=0.1, place=(0.5, 0.5), font="DejaVuSans-Bold"),
}
PHOTOGRAPHS = {"coffee.png": "coffee", "rocket.jpg": "rocket", "cat.png": "chelsea", "astronaut.png": "astronaut"}


@pytest.fixture
def config(tmp_path: Path) -> PrepareConfig:
    found = tmp_path / "found"
    found.mkdir()
    for name, photo in PHOTOGRAPHS.items():
        image = photograph(photo)
        save(LETTERED[name](image) if name in LETTERED else image, found / name)
    return PrepareConfig(source=str(found), output=str(tmp_path / "prepared"), width=256, height=256, fill="telea")


def folder(config: PrepareConfig) -> PreparedFolder:
    return PreparedFolder(Path(config.output), Path(config.source))


def propose(config: PrepareConfig, **options: Any) -> TextProposals:
    options = {"at_least": AT_LEAST, "progress": lambda *_: None, "stop": lambda: False, **options}
    return propose_text_removals(config, **options)


def removed(config: PrepareConfig) -> dict[str, int]:
    edits = read_manifest(folder(config)).edits
    return {one.name: len(one.removed_regions) for one in edits.by_digest.values()}


def keep_all(config: PrepareConfig) -> list[str]:
    digests = [one.digest for one in pending(folder(config))]
    return [one.name for one in keep(folder(config), digests)]


def contents(config: PrepareConfig) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(config.source).iterdir()}


def test_text_is_proposed_for_every_image_that_has_some_and_nothing_is_decided_yet(config: PrepareConfig) -> None:
    before = contents(config)
    outcome = propose(config)
    assert sorted(outcome.found) == sorted(LETTERED)
    assert outcome.describe() == "3 images have text that can be removed; 1 without text."
    assert [one.name for one in pending(folder(config))] == sorted(LETTERED)
    assert all(one.accepted for one in pending(folder(config)))
    assert not folder(config).manifest.exists()
    assert "region removed" not in str(make_plan(config).describe())
    assert contents(config) == before


def test_the_pair_to_compare_shows_the_text_and_its_removal_at_a_size_to_judge(config: PrepareConfig) -> None:
    propose(config)
    one = next(one for one in pending(folder(config)) if one.name == "coffee.png")
    before, after = (Image.open(path) for path in Proposals(folder(config)).pair(one))
    assert before.size == after.size
    assert before.width > 300
    white = [float((np.asarray(image.convert("L")) > 245).mean()) for image in (before, after)]
    assert white[0] > 0.02
    assert white[1] < 0.2 * white[0]


def test_only_accepted_proposals_are_kept_and_prepared(config: PrepareConfig) -> None:
    before = contents(config)
    propose(config)
    (rocket,) = (one.digest for one in pending(folder(config)) if one.name == "rocket.jpg")
    Proposals(folder(config)).decide({rocket: False, "0" * 64: True})
    assert keep_all(config) == ["cat.png", "coffee.png"]
    assert removed(config) == {"cat.png": 1, "coffee.png": 1}
    assert [(one.name, one.accepted) for one in pending(folder(config))] == [("rocket.jpg", False)]
    texts = [result.describe() for result in make_plan(config).results]
    assert sum("removed" in text for text in texts) == 2
    assert contents(config) == before
    propose(config)
    assert [(one.name, one.accepted) for one in pending(folder(config))] == [("rocket.jpg", False)]


def test_keeping_is_undone_at_once_but_for_images_that_were_worked_on_since(config: PrepareConfig) -> None:
    propose(config)
    kept = keep(folder(config), [one.digest for one in pending(folder(config))])
    item, _ = find_image(config, "cat.png")
    assert remove_region(
        folder(config), item, mask_from_boxes([(10, 10, 40, 40)], item.source_size), FillMethod("telea")
    )
    assert [one.name for one in undo_keep(folder(config), kept)] == ["coffee.png", "rocket.jpg"]
    assert removed(config) == {"cat.png": 2}
    assert [one.name for one in pending(folder(config))] == ["coffee.png", "rocket.jpg"]
    assert keep_all(config) == ["coffee.png", "rocket.jpg"]


def test_a_stopped_search_keeps_what_it_found_and_continues_there(config: PrepareConfig) -> None:
    calls = iter([False, True])
    with pytest.raises(Stopped, match="stopped after 2 of 4 images: what was found can be reviewed"):
        propose(replace(config, workers=1), stop=lambda: next(calls))
    first = pending(folder(config))
    assert 1 <= len(first) < 3
    patches = {one.digest: Proposals(folder(config)).pair(one)[0].stat().st_mtime_ns for one in first}
    assert sorted(propose(config).found) == sorted(LETTERED)
    after = {one.digest: one for one in pending(folder(config))}
    assert {d: Proposals(folder(config)).pair(after[d])[0].stat().st_mtime_ns for d in patches} == patches


def test_a_damaged_proposal_is_made_again(config: PrepareConfig) -> None:
    propose(config)
    for path in (folder(config).inner / "proposed-removals").glob("*.json"):
        path.write_text(path.read_text()[:40])
    assert pending(folder(config)) == []
    propose(config)
    assert len(pending(folder(config))) == 3


def test_files_that_a_killed_program_left_unfinished_are_removed_and_no_others(config: PrepareConfig) -> None:
    inner = folder(config).inner / "proposed-removals"
    inner.mkdir(parents=True)
    digest = "0123456789abcdef" * 4
    abandoned = (f".{digest[:16]}-{digest[:22]}-0123abcd.png.writing", f".{digest[:40]}-89abcdef.json.writing")
    own = (".notes.writing", f".{digest[:16]}-beef.png.writing", "kept.png.writing", "kept.png", ".hidden")
    for name in (*abandoned, *own, f".{digest[:40]}-fedcba98.json.writing"):
        (inner / name).write_bytes(b"half")
    for name in (*abandoned, *own):
        os.utime(inner / name, (0, 0))
    propose(config)
    left = {path.name for path in inner.iterdir() if path.read_bytes() == b"half"}
    assert left == {*own, f".{digest[:40]}-fedcba98.json.writing"}  # the last is being written by another program


def test_excluded_images_and_those_that_an_inspection_found_clean_are_not_looked_at(config: PrepareConfig) -> None:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents(config).items()}
    excluded = ImageEdits("cat.png", excluded=True)
    update_edits(folder(config), lambda edits: edits.with_image(digests["cat.png"], excluded))
    measured = {digests["coffee.png"]: 0.0, digests["rocket.jpg"]: 5.0}
    progress: list[tuple[int, int]] = []
    outcome = propose(config, measured=measured.get, progress=lambda *now: progress.append(now))
    assert outcome.found == ["rocket.jpg"]
    assert progress[-1] == (2, 2)  # the rocket, and the astronaut, which was not inspected
    assert outcome.describe().endswith("text that can be removed; 2 without text. 1 excluded, not looked at.")
    assert outcome.describe().startswith("1 image has")


def test_a_proposal_no_longer_counts_once_its_image_is_edited_or_excluded(config: PrepareConfig) -> None:
    propose(config)
    shown = [one.digest for one in pending(folder(config))]
    item, _ = find_image(config, "cat.png")
    remove_region(folder(config), item, mask_from_boxes([(10, 10, 40, 40)], item.source_size), FillMethod("telea"))
    digest = hashlib.sha256(contents(config)["rocket.jpg"]).hexdigest()
    update_edits(folder(config), lambda edits: edits.with_image(digest, ImageEdits("rocket.jpg", excluded=True)))
    assert [one.name for one in keep(folder(config), shown)] == ["coffee.png"]
    assert removed(config) == {"cat.png": 1, "coffee.png": 1, "rocket.jpg": 0}
    # The next search works on what the image is now.
    assert propose(config).found == ["cat.png"]
    (again,) = pending(folder(config))
    assert len(again.before) == 1


def test_another_fill_method_makes_other_proposals_and_leaves_no_files_of_the_first(config: PrepareConfig) -> None:
    propose(config)
    files = sorted(path.name for path in (folder(config).inner / "proposed-removals").iterdir())
    propose(replace(config, fill="ns"))
    after = sorted(path.name for path in (folder(config).inner / "proposed-removals").iterdir())
    assert {one.region.method for one in pending(folder(config)) if one.region} == {"ns"}
    assert len(after) == len(files)
    assert after != files


def test_a_model_fills_all_images(config: PrepareConfig, tmp_path: Path) -> None:
    by_model = replace(config, fill="model", fill_prompt="nothing")
    with pytest.raises(BadInput, match="no model can inpaint here"):
        propose(by_model)
    assert len(propose(by_model, host=FakeHost(tmp_path)).found) == 3
    assert {one.region.model for one in pending(folder(config)) if one.region} == {"fake"}


def test_unreadable_images_are_named(config: PrepareConfig) -> None:
    (Path(config.source) / "broken.jpg").write_bytes(b"no image")
    (skipped,) = propose(config).skipped
    assert skipped.path.name == "broken.jpg"


def test_proposals_of_a_new_prepared_folder_stand_on_inherited_removals(config: PrepareConfig, tmp_path: Path) -> None:
    propose(config)
    keep_all(config)
    other = replace(config, output=str(tmp_path / "second"))
    assert propose(other).found == []
    assert read_manifest(folder(other)).edits == Edits(read_manifest(folder(config)).edits.by_digest)
