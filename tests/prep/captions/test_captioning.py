"""Captioning a folder: merged with what exists, resumable after any end, with nothing lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.config import CaptionConfig, PrepareConfig
from lib_ti.data.beside.captions import read_caption
from lib_ti.errors import BadInput, Stopped, UserError
from lib_ti.prep.captions.caption_files import BEFORE
from lib_ti.prep.captions.captioning import CaptioningResult, caption_folder
from lib_ti.prep.captions.captioning_record import RECORD
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.storage.atomic import CannotWrite
from tests.fakes import draw_images


class Teller:
    """A captioner that says the red of each image's colour, or a given text, and records its batches."""

    def __init__(self, text: str = "", options: str = "teller") -> None:
        self.text, self.options = text, options
        self.batches: list[list[tuple[int, int]]] = []

    def caption(self, images: Sequence[Image.Image]) -> list[str]:
        self.batches.append([image.size for image in images])
        return [self.text or f"red {image.getpixel((0, 0))[0]}" for image in images]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five red images, of which the first two have captions."""
    draw_images(tmp_path / "set", count=5, size=8)
    for name in ("02.txt", "03.txt", "04.txt"):
        (tmp_path / "set" / name).unlink()
    return tmp_path / "set"


def caption(
    folder: Path, teller: Teller, config: CaptionConfig | None = None, stop_after: int = 10**6
) -> CaptioningResult:
    seen: list[int] = []

    def progress(done: int, total: int) -> None:
        assert total == len([path for path in folder.iterdir() if path.suffix in (".png", ".jpg")])
        assert not seen or done >= seen[-1]
        seen.append(done)

    done = caption_folder(
        folder, config or CaptionConfig(), teller, progress=progress, stop=lambda: len(seen) >= stop_after
    )
    assert seen[-1] == len([path for path in folder.iterdir() if path.suffix in (".png", ".jpg")])
    return done


def captions(folder: Path) -> list[str]:
    return [read_caption(path).text for path in sorted(folder.glob("*.png"))]


def test_images_without_a_caption_get_one(folder: Path) -> None:
    teller = Teller()
    done = caption(folder, teller, CaptionConfig(batch_size=2))
    assert done == CaptioningResult(written=("02.png", "03.png", "04.png"), kept=("00.png", "01.png"))
    assert captions(folder) == ["picture 0, flat", "picture 1, flat", "red 153", "red 204", "red 255"]
    assert (folder / "02.txt").read_bytes() == b"red 153"
    assert [len(batch) for batch in teller.batches] == [2, 1]


@pytest.mark.parametrize("existing", ["keep", "append"])
def test_captions_that_preparing_took_from_file_names_are_replaced(folder: Path, existing: str) -> None:
    prepared = folder.with_name("prepared")
    for name in ("02", "03"):
        (folder / f"{name}.png").rename(folder / f"{name} IMG.png")
    config = PrepareConfig(source=str(folder), output=str(prepared), width=64, height=64)
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)
    assert captions(prepared)[2:] == ["IMG", "IMG", ""]
    (prepared / "image_004.txt").write_text("a red square")
    done = caption(prepared, Teller(), CaptionConfig(existing=existing))
    found = captions(prepared)
    assert (found[2], found[4]) == ("red 153", "red 255")
    if existing == "keep":
        assert done.kept == ("image_001.png", "image_002.png", "image_004.png")
        assert found[3] == "a red square"
    else:
        assert found[0] == "red 51, picture 0, flat"
        assert found[3] == "red 204, a red square"


@pytest.mark.parametrize(
    ("existing", "first"),
    [
        ("ignore", "a photo of red 51, side light"),
        ("prepend", "picture 0, flat, a photo of red 51, side light"),
        ("append", "a photo of red 51, side light, picture 0, flat"),
    ],
)
def test_existing_captions_are_merged_and_kept_aside(folder: Path, existing: str, first: str) -> None:
    config = CaptionConfig(existing=existing, prefix="a photo of", suffix=", side light")
    done = caption(folder, Teller(), config)
    assert len(done.written) == 5
    assert captions(folder)[0] == first
    assert captions(folder)[2] == "a photo of red 153, side light"
    assert {path.read_text() for path in (folder / BEFORE).glob("*/*")} == {"picture 0, flat", "picture 1, flat"}


def test_unwanted_words_are_removed_from_new_captions_only(folder: Path) -> None:
    caption(
        folder, Teller("a flat drawing of a cat, arafed"), CaptionConfig(existing="append", blacklist="flat, arafed")
    )
    assert captions(folder)[0] == "a drawing of a cat, picture 0, flat"


def test_images_without_words_are_named(folder: Path) -> None:
    done = caption(folder, Teller("blurry"), CaptionConfig(blacklist="blurry", prefix="a drawing,"))
    assert done.empty == done.written == ("02.png", "03.png", "04.png")
    assert captions(folder)[2] == "a drawing,"


@pytest.mark.parametrize("existing", ["ignore", "prepend", "append", "keep"])
def test_a_second_run_does_nothing(folder: Path, existing: str) -> None:
    config = CaptionConfig(existing=existing, prefix="a", suffix="b")
    caption(folder, Teller(), config)
    first, teller = captions(folder), Teller()
    done = caption(folder, teller, replace(config, batch_size=1))
    assert (done.written, teller.batches, captions(folder)) == ((), [], first)
    assert len(done.kept + done.unchanged) == 5


def test_captions_edited_since_are_unchanged(folder: Path) -> None:
    config = CaptionConfig(existing="prepend")
    caption(folder, Teller(), config)
    (folder / "00.txt").write_text("picture 0, flat, really red")
    (folder / "02.txt").unlink()
    assert caption(folder, Teller(), config).written == ("02.png",)
    assert captions(folder)[0] == "picture 0, flat, really red"


def test_other_settings_recaption_from_the_original_captions(folder: Path) -> None:
    config = CaptionConfig(existing="prepend")
    for prefix in ("one", "two", "three"):
        caption(folder, Teller(), replace(config, prefix=prefix))
    caption(folder, Teller(options="another"), replace(config, prefix="four"))
    assert captions(folder)[0] == "picture 0, flat, four red 51"
    assert captions(folder)[2] == "four red 153"
    # What was edited is the user's own.
    (folder / "00.txt").write_text("edited")
    caption(folder, Teller(), replace(config, prefix="five"))
    assert captions(folder)[0] == "edited, five red 51"
    assert captions(folder)[2] == "five red 153"
    assert len(caption(folder, Teller(), replace(config, existing="keep", prefix="six")).kept) == 5


def test_a_changed_image_is_recaptioned(folder: Path) -> None:
    config = CaptionConfig(existing="prepend")
    caption(folder, Teller(), config)
    Image.new("RGB", (8, 8), (7, 0, 0)).save(folder / "03.png")
    assert caption(folder, Teller(), config).written == ("03.png",)
    assert captions(folder)[3] == "red 7"


def test_a_stopped_run_continues(folder: Path) -> None:
    config = CaptionConfig(existing="ignore", batch_size=2)
    with pytest.raises(Stopped, match="continue with the remaining images") as caught:
        caption(folder, Teller(), config, stop_after=3)
    assert caught.value.exit_code == 130
    assert captions(folder)[:2] == ["red 51", "red 102"]
    done = caption(folder, Teller(), config)
    assert (done.unchanged, done.written) == (("00.png", "01.png"), ("02.png", "03.png", "04.png"))


@pytest.mark.parametrize("cut", [0, 10])
def test_a_run_killed_between_record_and_caption_is_continued(folder: Path, cut: int) -> None:
    """What was noted but not written does not count as the user's; nor does a note that is cut off."""
    config = CaptionConfig(existing="prepend")
    caption(folder, Teller(), config)
    first, notes = captions(folder), (folder / RECORD).read_text()
    caption(folder, Teller(), replace(config, prefix="new"))
    notes += (folder / RECORD).read_text().splitlines(keepends=True)[0]
    (folder / RECORD).write_text(notes[: len(notes) - cut])
    for number, text in enumerate(first):
        (folder / f"{number:02}.txt").write_text(text)
    caption(folder, Teller(), replace(config, prefix="new"))
    assert captions(folder) == [
        "picture 0, flat, new red 51",
        "picture 1, flat, new red 102",
        "new red 153",
        "new red 204",
        "new red 255",
    ]


def test_notes_do_not_pile_up(folder: Path) -> None:
    for prefix in ("one", "two", "three"):
        caption(folder, Teller(), CaptionConfig(existing="ignore", prefix=prefix))
    notes = [json.loads(line) for line in (folder / RECORD).read_text().splitlines()]
    assert [note["text"] for note in notes] == [f"three red {51 * number}" for number in range(1, 6)]


def test_images_that_cannot_be_captioned_are_listed_and_the_rest_captioned(folder: Path) -> None:
    (folder / "empty.png").write_bytes(b"")
    Image.effect_noise((99, 99), 50).save(folder / "cut.png")
    (folder / "cut.png").write_bytes((folder / "cut.png").read_bytes()[:4000])
    Image.new("RGB", (8, 8)).save(folder / "00.jpg")
    (folder / "no picture.doc").write_bytes(b"words")
    (folder / "02.txt").mkdir()
    done = caption(folder, Teller(), CaptionConfig(existing="ignore"))
    assert {item.path.name: item.reason for item in done.skipped} == {
        "02.png": "02.txt cannot be read, so it is not replaced",
        "00.png": "its caption would be 00.txt, which belongs to 00.jpg; rename one of them",
        "cut.png": "the file is cut off; copy or download it again",
        "empty.png": "the file is empty (0 bytes); copy or download it again",
    }
    assert done.written == ("00.jpg", "01.png", "03.png", "04.png")


def test_captioners_get_images_of_bounded_size(folder: Path) -> None:
    Image.new("RGB", (3000, 1500), (9, 0, 0)).save(folder / "big.jpg")
    teller = Teller()
    caption(folder, teller)
    assert teller.batches[-1][-1] == (1024, 512)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "choose a smaller batch size"),
        (RuntimeError("CUDA out of memory"), "caption 3 images at once"),
    ],
)
def test_out_of_memory_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    def fail(self: Teller, images: Sequence[Image.Image]) -> list[str]:
        raise error

    monkeypatch.setattr(Teller, "caption", fail)
    with pytest.raises(UserError, match=words):
        caption(folder, Teller())


def test_an_unwritable_folder_is_reported_before_an_image_is_captioned(folder: Path) -> None:
    (folder / RECORD).mkdir()
    teller = Teller()
    with pytest.raises(CannotWrite, match="cannot be written"):
        caption(folder, teller)
    assert teller.batches == []


def test_bad_input_is_refused_before_anything_is_done(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BadInput, match="Existing captions is 'all'; choose one of keep"):
        caption(folder, Teller(), CaptionConfig(existing="all"))
    (tmp_path / "bare").mkdir()
    with pytest.raises(BadInput, match="has no image"):
        caption(tmp_path / "bare", Teller())
    assert not (folder / RECORD).exists()
