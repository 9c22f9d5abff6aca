"""Masks of prepared pictures: which parts count in the loss. Knows the engine and no Gradio.

A page paints what does *not* count; in the mask files white is what counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from lib_ti.data.beside import Beside
from lib_ti.data.images import open_image, read_header
from lib_ti.data.masks import find_mask, mask_path, read_mask
from lib_ti.data.preparations import exclusions
from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.paths import as_path, folder_problem, path_text
from lib_ti.prep.folder_checks import folder_problems
from lib_ti.prep.loss_masks import overlay, remove_mask, save_mask
from lib_ti.prep.prepared import PreparedFolder, file_digest, images_in
from lib_ti.prep.thumbnails import downscaled
from lib_ti.ui import reach
from lib_ti.ui.dataset import painted
from lib_ti.ui.dataset.paint_page import Choosable, Stage
from lib_ti.ui.html.fragments import file_name
from lib_ti.ui.server.image_addresses import address
from lib_ti.ui.server.temporary_images import TemporaryImages
from lib_ti.wording import quoted

_MASKED = "mask"


@dataclass(frozen=True)
class Kept:
    """What became of a mask: a sentence, with ``warning`` where it needs a second look, and the picture's note."""

    sentence: str
    warning: bool = False
    note: str = ""


class Masks:
    """The work behind the step Masks, for one host's folders. Pictures are named as :func:`file_name` names them."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._shown = TemporaryImages()
        self._written: dict[Path, str] = {}
        """SHA-256 of the masks that were written here; what is another one by now is put aside, and not lost."""

    def folder(self, output: str, source: str) -> Path:
        """The prepared folder that a page names.

        Raises
        ------
        BadInput
            When there is none, or it is not apart from the source folder, which is never written to.
        """
        if not path_text(output):
            raise BadInput("There is no prepared folder yet: name one above, and prepare your pictures first.")
        reach.check(self._folders, {"Prepared folder": output})
        path = as_path(output, "Prepared folder")
        if found := folder_problem(path, missing_ok=True):
            raise BadInput(f"The prepared folder {found}")
        if not path.is_dir():
            raise BadInput(f"The prepared folder {path} does not exist yet: prepare your pictures first.")
        if path_text(source) and (wrong := folder_problems(as_path(source, "Source folder"), path)):
            raise BadInput(wrong)
        return path

    def pictures(self, folder: Path) -> list[Choosable]:
        """The prepared pictures, with a note on those that have a mask; marked are results of excluded images.

        Raises
        ------
        BadInput
            When there are none.
        """
        found = images_in(folder)
        if not found:
            raise BadInput(f"The prepared folder {folder} holds no picture yet: press Prepare first.")
        beside, excluded = Beside(folder), exclusions(folder).results
        return [
            Choosable(path, path.name, _MASKED if find_mask(path, beside) else "", path.name in excluded)
            for path in found
        ]

    def stage(self, folder: Path, name: str) -> Stage:
        """A prepared picture, to paint on.

        Raises
        ------
        BadInput
            When there is no such picture.
        UnreadableImage
            When the picture or its mask cannot be used.
        """
        path = _picture(folder, name)
        size = read_header(path).size
        mask = find_mask(path)
        overlaid = self._shown.address(f"{path} {file_digest(mask)}", lambda: _overlaid(path)) if mask else ""
        return Stage(
            path,
            size,
            "mask",
            address(path, painted.SHOWN),
            overlaid=overlaid,
            note=_MASKED if mask else "",
            excluded=path.name in exclusions(folder).results,
        )

    def layer(self, folder: Path, name: str) -> str:
        """What does not count in a picture, as text for the page."""
        path = _picture(folder, name)
        mask = _mask(path)
        return painted.write(path, None if mask is None else ImageChops.invert(mask))

    def save(self, folder: Path, found: painted.Painted) -> Kept:
        """Keep what a page painted as the mask of the picture that it belongs to.

        Raises
        ------
        BadInput
            When that picture is not in the folder.
        CannotWrite
            When the folder or the disk does not take it.
        """
        path = folder / found.name
        if not found.belongs_to(path) or not path.is_file():
            raise BadInput(f"What is painted belongs to a picture that is not in {folder}; choose it again.")
        size = read_header(path).size
        layer = found.over(size)
        return self._keep(path, None if layer is None else ImageChops.invert(layer))

    def load(self, folder: Path, name: str, file: Path) -> Kept:
        """Take the mask in a file, white where the picture counts, for a picture's."""
        path = _picture(folder, name)
        size = read_header(path).size
        return self._keep(path, read_mask(file, size))

    def from_transparency(self, folder: Path, name: str) -> Kept:
        """Make a mask of what is transparent in a picture.

        Raises
        ------
        BadInput
            When nothing is.
        """
        path = _picture(folder, name)
        alpha = open_image(path, with_alpha=True).alpha
        if alpha is None or alpha.getextrema() == (255, 255):
            raise BadInput(f"{name} has no transparent parts; paint the mask instead.")
        return self._keep(path, alpha)

    def remove(self, folder: Path, name: str) -> Kept:
        """Take the mask of a picture away; it is put aside."""
        path = _picture(folder, name)
        return self._keep(path, None)

    def _keep(self, picture: Path, mask: Image.Image | None) -> Kept:
        if mask is None or mask.getextrema() == (255, 255):
            aside = remove_mask(picture)
            where = f" The one it had is now {aside}." if aside else ""
            return Kept(f"Everything counts in {file_name(picture)}: it has no mask.{where}")
        target = mask_path(picture)
        if file_digest(target) != self._written.get(target, ""):
            PreparedFolder(picture.parent).set_aside(target)
        save_mask(picture, mask)
        self._written[target] = file_digest(target)
        share = ImageStat.Stat(mask).mean[0] / 255
        if mask.getbbox() is None:
            return Kept(
                f"Nothing counts in {file_name(picture)}, so that nothing is learned from it; exclude the image "
                "instead, or paint less.",
                warning=True,
                note=_MASKED,
            )
        return Kept(f"Saved {file_name(target)}: {share:.0%} of the picture counts.", note=_MASKED)


def _picture(folder: Path, name: str) -> Path:
    if not name:
        raise BadInput("No picture is chosen; choose one.")
    for path in images_in(folder):
        if file_name(path) == name:
            return path
    raise BadInput(f"There is no picture {quoted(name)} in the prepared folder {folder}; choose another one.")


def _mask(picture: Path) -> Image.Image | None:
    path = find_mask(picture)
    if path is None:
        return None
    return read_mask(path, read_header(picture).size)


def _overlaid(picture: Path) -> Image.Image:
    opened = open_image(picture, with_alpha=True)
    shown = downscaled(opened.image, opened.alpha, painted.SHOWN)
    mask = _mask(picture)
    return shown if mask is None else overlay(shown, mask)
