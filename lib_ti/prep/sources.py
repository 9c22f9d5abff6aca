"""The source images of a preparation: listed, and opened with their layers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lib_ti.config.prepare import LANCZOS, NO_UPSCALER, PrepareConfig
from lib_ti.config.setting import problems
from lib_ti.data.dataset import Dataset, Item, Rules
from lib_ti.data.images.decode import open_image
from lib_ti.data.reading import read_image, read_item_mask
from lib_ti.data.scan import read_item, scan
from lib_ti.errors import BadInput
from lib_ti.prep.folder_checks import folder_problems
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.wording import quoted


def find_images(config: PrepareConfig, upscalers: Iterable[str] = ()) -> tuple[Dataset, PreparedFolder]:
    """List the images of the source folder with their masks; also return the prepared folder, which may not exist yet.

    Parameters
    ----------
    upscalers
        Names of the host's upscalers.

    Raises
    ------
    BadInput
        When settings are wrong or contradict each other, a folder cannot be used, or the source folder has no readable
        image.
    """
    source, folder = _folders(config, upscalers)
    return scan(source, _rules(config)), folder


def find_image(config: PrepareConfig, name: str, upscalers: Iterable[str] = ()) -> tuple[Item, PreparedFolder]:
    """Return one image by its path relative to the source folder, with its mask, and the prepared folder.

    Raises
    ------
    BadInput
        When settings or folders cannot be used, or the source folder has no such file.
    UnreadableImage
        When the file is not an image that can be used.
    """
    source, folder = _folders(config, upscalers)
    path = Path(name)
    outside = path.is_absolute() or ".." in path.parts or (len(path.parts) > 1 and not config.subfolders)
    outside = outside or path.as_posix() != name
    if outside or not (source / name).is_file():
        raise BadInput(f"There is no image {quoted(name)} in the source folder {source}; choose another one.")
    return read_item(source, name, _rules(config)), folder


def open_layered(item: Item, *, cover: tuple[int, int] | None = None) -> LayeredImage:
    """Open an image as it is seen, with its transparency, where it has any, and its mask.

    Parameters
    ----------
    cover
        The size that the image will be downscaled to fill; see :func:`lib_ti.data.images.decode.open_image`.

    Raises
    ------
    UnreadableImage
        When the image or its mask cannot be used, or the file has changed since it was listed.
    """
    opened = open_image(item.path, with_alpha=item.has_alpha, cover=cover, data=read_image(item))
    alpha = opened.alpha
    if alpha is not None and alpha.getextrema() == (255, 255):
        alpha = None
    return LayeredImage(opened.image, alpha, read_item_mask(item, opened.image.size), item.caption)


def _rules(config: PrepareConfig) -> Rules:
    return Rules(
        config.width, config.height, resize="keep", use_alpha=True, validation_split=0.0, subfolders=config.subfolders
    )


def _folders(config: PrepareConfig, upscalers: Iterable[str]) -> tuple[Path, PreparedFolder]:
    found = problems(config)
    known = (LANCZOS, NO_UPSCALER, *upscalers)
    if config.upscaler.strip() and config.upscaler not in known:
        found.append(f"Upscaler is {quoted(config.upscaler)}; there are {', '.join(known)}.")
    source, output = Path(config.source), Path(config.output)
    if config.source.strip() and config.output.strip():
        found += folder_problems(source, output)
    if found:
        raise BadInput(found)
    return source, PreparedFolder(output, source)
