"""The folder browser: what it lists, what it refuses, and the folders used last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.errors import BadInput
from lib_ti.ui import recent_folders
from lib_ti.ui.widgets.folder_browser import listing
from lib_ti.ui.widgets.folder_browser.listing import Listing
from lib_ti.ui.widgets.folder_browser.service import FolderBrowser
from tests.fakes import FakeFolders

LABEL = "Dataset directory"


def folder_of(path: Path, images: int = 0, *others: str) -> Path:
    path.mkdir(parents=True)
    for number in range(images):
        Image.new("RGB", (8, 8)).save(path / f"{number:02}.png")
    for name in others:
        (path / name).write_text("")
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Folders as people have them."""
    made = folder_of(tmp_path / "photos", 2, "notes.txt", ".hidden.png")
    folder_of(made / "10 cats", 3, "00.txt", "00-mask.png", "people-mask.png")
    folder_of(made / "2 dogs" / "puppies")
    folder_of(made / "empty")
    folder_of(made / ".thumbnails", 4)
    return made


@pytest.fixture
def folders(tmp_path: Path) -> FakeFolders:
    return FakeFolders(tmp_path)


@pytest.fixture
def browser(folders: FakeFolders) -> FolderBrowser:
    return FolderBrowser(folders)


def labels(found: Listing) -> list[str]:
    return [entry.label for entry in found.entries]


def test_subfolders_are_listed_in_natural_order_with_their_images(browser: FolderBrowser, photos: Path) -> None:
    found = browser.open(str(photos), LABEL)
    # The mask of an image is none itself; one without an image beside it is.
    assert labels(found) == [
        "This folder (2 images, 3 folders)", "2 dogs (1 folder)", "10 cats (4 images)", "empty (empty)",
    ]  # fmt: skip
    assert found.entries[2].path == photos / "10 cats"
    assert found.remarks == ()


@pytest.mark.parametrize("written", ['"{}"', " {} ", "“{}”", "file://{}"])
def test_a_pasted_location_is_understood(browser: FolderBrowser, photos: Path, written: str) -> None:
    assert browser.open(written.format(photos), LABEL).place == photos


def test_the_home_folder_is_understood(browser: FolderBrowser, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(photos))
    monkeypatch.setenv("USERPROFILE", str(photos))
    assert browser.open("~/2 dogs", LABEL).place == photos / "2 dogs"
    assert browser.choose("~", LABEL) == str(photos)


def test_one_level_up_until_the_root(browser: FolderBrowser, photos: Path) -> None:
    found = browser.up(str(photos / "2 dogs" / "puppies"))
    assert found.place == photos / "2 dogs"
    while found.above is not None:
        found = browser.up(found.location)
    assert found.place == Path(photos.anchor)


def test_a_field_with_a_folder_that_does_not_exist_yet_opens_above_it(browser: FolderBrowser, photos: Path) -> None:
    found = browser.start(str(photos / "empty" / "new" / "one"))
    assert found.place == photos / "empty"
    assert "does not exist yet" in found.remarks[0]


def test_an_empty_field_opens_where_the_last_folder_was(browser: FolderBrowser, photos: Path) -> None:
    browser.choose(str(photos / "10 cats"), LABEL)
    assert browser.start("").place == photos / "10 cats"


@pytest.mark.parametrize("text", ["nowhere", "photos/notes.txt", "photos/notes.txt/x", "a\0b", "x" * 5000])
def test_what_is_no_folder_is_refused_by_name(browser: FolderBrowser, photos: Path, text: str) -> None:
    with pytest.raises(BadInput, match=f"^{LABEL} "):
        browser.choose(str(photos.parent / text), LABEL)
    assert recent_folders.recent(FakeFolders(photos)) == []


def test_a_folder_to_be_made_can_be_chosen_where_results_go(browser: FolderBrowser, photos: Path) -> None:
    new = photos / "cropped"
    assert labels(browser.open(str(new), "Prepared folder", may_be_new=True)) == ["This folder (new)"]
    assert browser.choose(str(new), "Prepared folder", may_be_new=True) == str(new)
    assert not new.exists()
    with pytest.raises(BadInput, match="is below a file"):
        browser.choose(str(photos / "notes.txt" / "cropped"), "Prepared folder", may_be_new=True)


def test_nothing_chosen_is_said(browser: FolderBrowser) -> None:
    with pytest.raises(BadInput, match="No folder is selected"):
        browser.choose("", LABEL)


def test_folders_whose_names_no_field_can_hold_are_counted(browser: FolderBrowser, photos: Path) -> None:
    for name in (b"ends with a space ", b"not utf-8 \xe9", b"two\nlines"):
        os.mkdir(os.fsencode(photos) + b"/" + name)
    found = browser.open(str(photos), LABEL)
    assert len(found.entries) == 4
    assert found.remarks[0].startswith("3 folders not shown, whose names end with a space")


def test_a_slow_disk_shows_the_list_without_numbers(
    browser: FolderBrowser, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "COUNTING_SECONDS", -1.0)
    found = browser.open(str(photos), LABEL)
    assert labels(found)[1:] == ["2 dogs", "10 cats", "empty (empty)"]
    assert "2 folders not counted" in found.remarks[0]


class TestAllowedFolders:
    """A server that keeps its folders to itself."""

    @pytest.fixture
    def allowed(self, folders: FakeFolders, photos: Path) -> Path:
        """Two folders, one of them with links."""
        folders.allowed = [photos, photos.parent / "runs"]
        folder_of(photos.parent / "runs" / "2026-12-01")
        folder_of(photos.parent / "secret", 5)
        (photos / "out").symlink_to(photos.parent / "secret")
        (photos / "in").symlink_to(photos / "10 cats")
        return photos

    def test_a_folder_outside_is_refused_by_name(self, browser: FolderBrowser, allowed: Path) -> None:
        for text in (str(allowed.parent / "secret"), f"{allowed}/..", f"{allowed}/out", "/"):
            for ask in (browser.open, browser.choose):
                with pytest.raises(BadInput, match="outside the folders this server allows") as refused:
                    ask(text, LABEL)
                assert text in str(refused.value)
                assert str(allowed) in str(refused.value)

    def test_links_that_lead_outside_are_not_listed(self, browser: FolderBrowser, allowed: Path) -> None:
        found = browser.open(str(allowed), LABEL)
        assert "in (4 images)" in labels(found)
        assert not any(label.startswith("out") for label in labels(found))
        assert found.remarks == ("1 link not shown, since this server does not allow where they lead.",)

    def test_above_an_allowed_folder_are_all_of_them(self, browser: FolderBrowser, allowed: Path) -> None:
        assert browser.up(str(allowed / "2 dogs")).place == allowed
        top = browser.up(str(allowed))
        assert (top.place, top.above) == (None, None)
        assert [entry.path for entry in top.entries] == [allowed, allowed.parent / "runs"]
        assert str(allowed.parent / "runs") in labels(top)[1]

    def test_a_field_with_a_folder_outside_opens_an_allowed_one(
        self, browser: FolderBrowser, folders: FakeFolders, allowed: Path
    ) -> None:
        assert browser.start(str(allowed.parent / "secret")).place is None
        recent_folders.remember(folders, allowed / "10 cats")
        recent_folders.remember(folders, allowed.parent / "secret")
        assert browser.start("").place == allowed / "10 cats"
        assert browser.recent() == [str(allowed / "10 cats")]
        folders.allowed = None
        assert browser.recent() == [str(allowed / "10 cats")]
        folders.allowed = [allowed / "empty"]
        assert browser.recent() == []

    def test_allowed_folders_that_are_not_there_yet_are_named(self, folders: FakeFolders, tmp_path: Path) -> None:
        folders.allowed = [tmp_path / "datasets"]
        with pytest.raises(BadInput, match=f"exists yet: {tmp_path / 'datasets'}"):
            FolderBrowser(folders).start("")


class TestRecentFolders:
    def test_the_last_ones_first_without_repetition_and_ten_at_most(self, folders: FakeFolders, tmp_path: Path) -> None:
        made = [folder_of(tmp_path / f"{number:02}") for number in range(12)]
        for path in [*made, made[5], tmp_path / "01" / ".." / "05"]:
            recent_folders.remember(folders, path)
        found = recent_folders.recent(folders)
        assert len(found) == recent_folders.MOST == 10
        assert found == [str(tmp_path / name) for name in ("05", "11", "10", "09", "08", "07", "06", "04", "03", "02")]

    def test_missing_ones_are_not_shown(self, folders: FakeFolders, tmp_path: Path) -> None:
        kept, gone = folder_of(tmp_path / "kept"), folder_of(tmp_path / "gone")
        recent_folders.remember(folders, kept)
        recent_folders.remember(folders, gone)
        gone.rmdir()
        assert recent_folders.recent(folders) == [str(kept)]

    def test_what_is_no_folder_is_not_remembered(self, folders: FakeFolders, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for one in ("", "nowhere", tmp_path / "file", "a\0b", "x" * 5000):
            recent_folders.remember(folders, one)
        assert recent_folders.recent(folders) == []

    def test_a_list_that_cannot_be_written_or_read_is_empty(
        self, folders: FakeFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setattr("lib_ti.data.preparations.NOTES", tmp_path / "file")
        recent_folders.remember(folders, tmp_path)
        assert recent_folders.recent(folders) == []
        notes = folder_of(tmp_path / "notes")
        (notes / "recent-folders.txt").write_bytes(b"\xff\xfe")
        monkeypatch.setattr("lib_ti.data.preparations.NOTES", notes)
        assert recent_folders.recent(folders) == []
