from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from lib_ti.config import InspectConfig
from lib_ti.embedding.card import save_card
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.inspect import measure_folder as measuring
from lib_ti.prep.inspect import report as reporting
from lib_ti.prep.inspect.measure_folder import measure_folder
from lib_ti.prep.inspect.report import InspectedImage, InspectionReport, inspect_measured
from tests.prep.conftest import save
from tests.prep.photographs import blur, crop, letter, noise, photograph, resize


def inspect_folder(folder: Path, config: InspectConfig | None = None, **options) -> InspectionReport:
    quiet = {"progress": lambda done, total: None, "stop": lambda: False}
    return reporting.inspect_folder(folder, config or InspectConfig(), **{**quiet, **options})


def named(report: InspectionReport) -> dict[str, InspectedImage]:
    return {image.measured.path.name: image for image in report.images}


def kinds(image: InspectedImage) -> set[str]:
    return {issue.kind for issue in image.issues}


@pytest.fixture
def mixed(found: Path) -> Path:
    save(photograph("astronaut"), found / "1.png", caption="an astronaut")
    save(crop(0.05, 0.02, 0, 0.06)(resize(0.6)(photograph("astronaut"))), found / "2.jpg", quality=70)
    save(ImageOps.mirror(photograph("astronaut")), found / "3.png")
    save(blur(3)(photograph("grass")), found / "10.png", caption="")
    shutil.copy(found / "10.png", found / "11.png")
    return found


def test_a_folder_is_inspected(mixed: Path) -> None:
    report = inspect_folder(mixed)
    images = named(report)
    assert list(images) == ["1.png", "2.jpg", "3.png", "10.png", "11.png"]
    assert kinds(images["1.png"]) == set()
    assert kinds(images["2.jpg"]) == {"duplicate", "small"}
    assert kinds(images["3.png"]) == {"mirrored"}
    assert kinds(images["10.png"]) == {"blurry"}
    assert kinds(images["11.png"]) == {"blurry", "duplicate"}
    assert images["2.jpg"].issues[-1].text == "It shows the same as 1.png, which is larger."
    assert images["11.png"].issues[-1].text == "It is the same file as 10.png."
    assert images["3.png"].issues[-1].text == "It seems to be a mirrored copy of 1.png."
    assert [[one.measured.path.name for one in group] for group in report.groups] == [
        ["1.png", "2.jpg"],
        ["10.png", "11.png"],
    ]
    assert [image.group for image in report.images] == [1, 1, 0, 2, 2]
    assert report.counts() == {"blurry": 2, "duplicate": 2, "mirrored": 1, "small": 1}


def test_captions_and_files_are_reported(mixed: Path) -> None:
    images = named(inspect_folder(mixed))
    assert [image.measured.has_caption for image in images.values()] == [True, False, False, False, False]
    one = images["1.png"].measured
    assert (one.caption.text, one.size, one.bytes) == ("an astronaut", (512, 512), (mixed / "1.png").stat().st_size)
    assert 60 < images["2.jpg"].measured.measures.jpeg_quality < 80
    assert one.measures.jpeg_quality == 0


def test_the_best_of_a_group_has_the_fewest_issues(found: Path) -> None:
    save(blur(3)(photograph("coffee")), found / "a.png")
    save(photograph("coffee"), found / "b.png")
    save(resize(0.5)(photograph("coffee")), found / "c.png")
    images = named(inspect_folder(found))
    assert [name for name, image in images.items() if not image.has("duplicate")] == ["b.png"]


def test_fixable_issues_are_preferred_over_unfixable_ones(found: Path) -> None:
    lettered = letter("© my coffee blog", height=0.06, place=(0.1, 0.9), font="DejaVuSans-Bold")
    save(lettered(photograph("coffee")), found / "lettered.png")
    save(noise(40)(photograph("coffee")), found / "grainy.png")
    report = inspect_folder(found)
    assert kinds(named(report)["lettered.png"]) >= {"text", "small"}
    assert [image.measured.path.name for image in report.suggested_exclusions] == ["grainy.png"]


def test_advice_counts_and_names(mixed: Path) -> None:
    report = inspect_folder(mixed)
    assert report.advice == (
        "2 of 5 images are good; 30 to 70 clear, sharp images that you can describe are best: find 28 more.",
        "Exclude 2.jpg (near-duplicate), 10.png (blurry), 11.png (blurry, same file).",
    )
    assert [image.measured.path.name for image in report.good] == ["1.png", "3.png"]
    assert len(report.suggested_exclusions) == 3


def test_advice_for_sets_of_all_sizes(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = measure_folder(mixed, progress=lambda done, total: None, stop=lambda: False)
    for fewest, most, words in ((2, 5, "which is enough to train on"), (1, 1, "choose the best of them")):
        monkeypatch.setattr(reporting, "FEWEST", fewest)
        monkeypatch.setattr(reporting, "MOST", most)
        assert words in inspect_measured(looked, InspectConfig()).advice[0]
    monkeypatch.setattr(reporting, "_NAMED", 1)
    assert inspect_measured(looked, InspectConfig()).advice[1].endswith("(near-duplicate) and 2 more.")


def test_thresholds_change_the_issues_without_another_inspection(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = measure_folder(mixed, progress=lambda done, total: None, stop=lambda: False)
    monkeypatch.setattr(measuring, "measure", lambda *_, **__: pytest.fail("measured again"))
    lenient = named(inspect_measured(looked, InspectConfig(blurry=0, duplicates=100, small=4)))
    assert {name for name, image in lenient.items() if image.issues} == {"3.png", "11.png"}


def test_bad_files_are_listed_and_the_rest_inspected(found: Path) -> None:
    save(photograph("coffee"), found / "good.png")
    whole = (found / "good.png").read_bytes()
    (found / "cut.png").write_bytes(whole[: len(whole) // 2])
    (found / "empty.jpg").write_bytes(b"")
    (found / "text.jpg").write_text("no picture")
    (found / "notes.md").write_text("no picture, and none is meant")
    (found / "jpeg-inside.png").write_bytes(save(photograph("flower"), found / "flower.jpg").read_bytes())
    report = inspect_folder(found)
    assert set(named(report)) == {"good.png", "flower.jpg", "jpeg-inside.png"}
    reasons = {one.path.name: one.reason for one in report.skipped}
    assert set(reasons) == {"cut.png", "empty.jpg", "text.jpg"}
    assert "cut off" in reasons["cut.png"]
    assert "0 bytes" in reasons["empty.jpg"]
    assert "not an image" in reasons["text.jpg"]


def test_a_bomb_is_refused_by_name(found: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(photograph("coffee"), found / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    (skipped,) = inspect_folder(found).skipped
    assert skipped.path.name == "a.png"
    assert "too many pixels" in skipped.reason


def test_kinds_of_images_are_all_read(found: Path) -> None:
    image = photograph("coffee").resize((300, 200))
    save(image.convert("CMYK"), found / "cmyk.jpg")
    save(image.quantize(64), found / "palette.png")
    save(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), found / "deep.png")
    save(image, found / "moving.gif", save_all=True, append_images=[photograph("flower").resize(image.size)])
    see_through = image.convert("RGBA")
    see_through.putalpha(128)
    save(see_through, found / "see-through.png")
    opaque = image.convert("RGBA")
    save(opaque, found / "opaque.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    save(image, found / "turned.jpg", exif=exif)
    report = inspect_folder(found, InspectConfig(duplicates=100))
    assert report.skipped == ()
    images = named(report)
    assert kinds(images["moving.gif"]) >= {"several_frames"}
    assert {name for name, one in images.items() if one.has("transparent")} == {"see-through.png"}
    assert images["turned.jpg"].measured.size == (200, 300)


def test_what_is_hidden_under_transparency_is_not_judged(found: Path) -> None:
    image = blur(4)(photograph("camera")).convert("RGBA")
    hidden = np.array(image)
    hidden[:256, :, :3] = np.random.default_rng(0).integers(0, 256, (256, 512, 3))
    hidden[:256, :, 3] = 0
    save(Image.fromarray(hidden), found / "a.png")
    assert "noise" not in kinds(inspect_folder(found).images[0])


def test_a_second_inspection_measures_nothing(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    first = inspect_folder(mixed, cache_folder=cache)
    monkeypatch.setattr(measuring, "measure", lambda *_, **__: pytest.fail("measured again"))
    (mixed / "1.png").rename(mixed / "one.png")  # content counts, not names
    again = inspect_folder(mixed, cache_folder=cache)
    seen, seen_again = (
        {one.measured.digest: one.measured.measures for one in report.images} for report in (first, again)
    )
    assert seen_again == seen
    assert len((next(cache.iterdir())).read_text().splitlines()) == 4


def test_damaged_lines_of_the_cache_are_remeasured(mixed: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = inspect_folder(mixed, cache_folder=cache)
    (file,) = cache.iterdir()
    lines = file.read_text().splitlines()
    spoilt = {**json.loads(lines[0]), "levels": "AAAA"}
    file.write_text("\n".join([json.dumps(spoilt), "[]", "nonsense", lines[1], lines[2][:100]]) + "\n")
    assert inspect_folder(mixed, cache_folder=cache) == first
    assert len(file.read_text().splitlines()) == 5 + 3


def test_a_cache_that_cannot_be_written_is_remarked(mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    report = inspect_folder(mixed, cache_folder=tmp_path / "file")
    assert len(report.images) == 5
    (remark,) = report.remarks
    assert "takes as long" in remark
    assert str(tmp_path / "file") in remark


def test_progress_is_reported_and_stopping_keeps_measured_images(mixed: Path, tmp_path: Path) -> None:
    calls = []
    inspect_folder(mixed, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 5) for done in range(6)]
    cache = tmp_path / "cache"
    calls = iter([False, False, True])
    with pytest.raises(Stopped):
        inspect_folder(mixed, cache_folder=cache, stop=lambda: next(calls))
    assert len((next(cache.iterdir())).read_text().splitlines()) == 3


def test_originals_are_not_touched(mixed: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in mixed.iterdir()}
    inspect_folder(mixed)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in mixed.iterdir()} == before


def test_a_folder_without_images_is_inspected(found: Path) -> None:
    report = inspect_folder(found)
    assert report.images == ()
    assert report.advice == ("There is no readable image here.",)
    (found / "a.jpg").write_bytes(b"")
    assert inspect_folder(found).advice == ("There is no readable image here; 1 file was skipped.",)
    with pytest.raises(BadInput, match="does not exist"):
        inspect_folder(found / "gone")
    with pytest.raises(BadInput, match="Too dark below"):
        inspect_folder(found, InspectConfig(dark=90))


def test_cards_of_embeddings_are_no_images(tmp_path: Path) -> None:
    save_card(tmp_path / "card.webp", None, Embedding("style", {"clip_l": torch.ones(1, 768)}))
    Image.new("RGB", (64, 64), "red").save(tmp_path / "a.png")
    found = measure_folder(tmp_path, progress=lambda *_: None, stop=lambda: False)
    assert [look.name for look in found.images] == ["a.png"]
    assert [one.reason for one in found.skipped] == ["it is a card that carries an embedding"]
