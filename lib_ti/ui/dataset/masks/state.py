"""Loss masks of prepared images.

A page paints the area that is *excluded* from training; in mask files, white is the area that is trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from lib_ti.data.beside.companions import Beside
from lib_ti.data.beside.masks import find_mask, mask_path, read_mask
from lib_ti.data.images.decode import open_image, read_header
from lib_ti.data.preparations import exclusions
from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.paths import as_path, folder_problem, path_problem, path_text
from lib_ti.prep.folder_checks import folder_problems
from lib_ti.prep.loss_masks import overlay, remove_mask, save_mask
from lib_ti.prep.prepared import PreparedFolder, file_digest, images_in
from lib_ti.prep.thumbnails import downscaled
from lib_ti.ui import reach
from lib_ti.ui.dataset.painting import layer as painted_layer
from lib_ti.ui.dataset.painting.view import PaintableImage, Stage
from lib_ti.ui.html.fragments import file_name
from lib_ti.ui.server.image_addresses import address
from lib_ti.ui.server.temporary_images import TemporaryImages
from lib_ti.wording import quoted

_MASKED = "mask"


@dataclass(frozen=True)
class SavedMask:
    """Result of saving a mask: a message, with ``warning`` where the mask should be checked, and the image's note.

    ``mask`` is the SHA-256 of its file, empty for none.
    """

    message: str
    warning: bool = False
    note: str = ""
    mask: str = ""


class LossMasks:
    """The loss masks of one host's pages. Images are named as :func:`file_name` names them."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._shown = TemporaryImages()
        self._written: dict[Path, str] = {}
        """SHA-256 of the masks that were written here; a mask that has changed since is set aside before it is
        replaced."""

    def folder(self, output: str, source: str) -> Path:
        """Return the prepared folder that a page names.

        Raises
        ------
        BadInput
            When there is none, or it overlaps the source folder, which is never written to.
        """
        if not path_text(output):
            raise BadInput("There is no prepared folder yet: enter one above, and prepare your images first.")
        reach.check(self._folders, {"Prepared folder": output})
        path = as_path(output, "Prepared folder")
        if found := folder_problem(path, missing_ok=True):
            raise BadInput(f"The prepared folder {found}")
        if not path.is_dir():
            raise BadInput(f"The prepared folder {path} does not exist yet: prepare your images first.")
        if path_text(source) and (problems := folder_problems(as_path(source, "Source folder"), path)):
            raise BadInput(problems)
        return path

    def exists(self, output: str) -> bool:
        """Whether a page names a prepared folder that is there; until then there is nothing to paint masks on."""
        return bool(path_text(output)) and not path_problem(path_text(output)) and Path(path_text(output)).is_dir()

    def images(self, folder: Path) -> list[PaintableImage]:
        """List the prepared images, noting those that have a mask, and those whose source is excluded."""
        found, beside, excluded = images_in(folder), Beside(folder), exclusions(folder).results
        return [
            PaintableImage(path, path.name, _MASKED if find_mask(path, beside) else "", path.name in excluded)
            for path in found
        ]

    def stage(self, folder: Path, name: str) -> Stage:
        """Return a prepared image to paint on.

        Raises
        ------
        BadInput
            When there is no such image.
        UnreadableImage
            When the image or its mask cannot be used.
        """
        path = _image_path(folder, name)
        size = read_header(path).size
        mask = find_mask(path)
        digest = file_digest(mask) if mask else ""
        overlaid = self._shown.address(f"{path} {digest}", lambda: _overlaid(path)) if mask else ""
        return Stage(
            path,
            size,
            "mask",
            address(path, painted_layer.SHOWN),
            overlaid=overlaid,
            note=_MASKED if mask else "",
            excluded=path.name in exclusions(folder).results,
            mask=digest,
        )

    def layer(self, folder: Path, name: str, origin: painted_layer.Origin = "shown") -> str:
        """Return the excluded area of an image as text for the page, and why the page gets it."""
        path = _image_path(folder, name)
        mask = _mask(path)
        return painted_layer.write(path, None if mask is None else ImageChops.invert(mask), origin)

    def save(self, folder: Path, painted: painted_layer.PaintedLayer) -> SavedMask:
        """Save the layer that a page painted as the mask of its image.

        Raises
        ------
        BadInput
            When that image is not in the folder.
        CannotWrite
            When the folder or the disk does not accept it.
        """
        path = folder / painted.name
        if not painted.belongs_to(path) or not path.is_file():
            raise BadInput(f"The painted layer belongs to an image that is not in {folder}; choose the image again.")
        size = read_header(path).size
        layer = painted.at_size(size)
        return self._save(path, None if layer is None else ImageChops.invert(layer))

    def load(self, folder: Path, name: str, file: Path) -> SavedMask:
        """Load an image's mask from a file, white in the area that is trained."""
        path = _image_path(folder, name)
        size = read_header(path).size
        return self._save(path, read_mask(file, size))

    def from_transparency(self, folder: Path, name: str) -> SavedMask:
        """Make an image's mask from its transparency.

        Raises
        ------
        BadInput
            When nothing is transparent.
        """
        path = _image_path(folder, name)
        alpha = open_image(path, with_alpha=True).alpha
        if alpha is None or alpha.getextrema() == (255, 255):
            raise BadInput(f"{name} has no transparent parts; paint the mask instead.")
        return self._save(path, alpha)

    def remove(self, folder: Path, name: str) -> SavedMask:
        """Set the mask of an image aside."""
        path = _image_path(folder, name)
        return self._save(path, None)

    def _save(self, image: Path, mask: Image.Image | None) -> SavedMask:
        if mask is None or mask.getextrema() == (255, 255):
            aside = remove_mask(image)
            where = f" The previous mask is now {aside}." if aside else ""
            return SavedMask(f"The whole image {file_name(image)} is trained: it has no mask.{where}")
        target = mask_path(image)
        if file_digest(target) != self._written.get(target, ""):
            PreparedFolder(image.parent).set_aside(target)
        save_mask(image, mask)
        self._written[target] = file_digest(target)
        share = ImageStat.Stat(mask).mean[0] / 255
        if mask.getbbox() is None:
            return SavedMask(
                f"Nothing of {file_name(image)} is trained, so nothing is learned from it; exclude the image instead, "
                "or paint over less.",
                warning=True,
                note=_MASKED,
                mask=self._written[target],
            )
        message = f"Saved {file_name(target)}: {share:.0%} of the image is trained."
        return SavedMask(message, note=_MASKED, mask=self._written[target])


def _image_path(folder: Path, name: str) -> Path:
    if not name:
        raise BadInput("No image is chosen; choose one.")
    for path in images_in(folder):
        if file_name(path) == name:
            return path
    raise BadInput(f"There is no image {quoted(name)} in the prepared folder {folder}; choose another one.")


def _mask(image: Path) -> Image.Image | None:
    path = find_mask(image)
    if path is None:
        return None
    return read_mask(path, read_header(image).size)


def _overlaid(image: Path) -> Image.Image:
    opened = open_image(image, with_alpha=True)
    shown = downscaled(opened.image, opened.alpha, painted_layer.SHOWN)
    mask = _mask(image)
    return shown if mask is None else overlay(shown, mask)
