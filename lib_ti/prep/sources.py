"""The source images of a preparation: listed, and opened with all that belongs to them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lib_ti.config.prepare import LANCZOS, NO_UPSCALER, PrepareConfig
from lib_ti.config.setting import problems
from lib_ti.data.dataset import Dataset, Item, Rules
from lib_ti.data.images import open_picture
from lib_ti.data.reading import read_item_mask, read_picture
from lib_ti.data.scan import read_item, scan
from lib_ti.errors import BadInput
from lib_ti.prep.folder_checks import wrong_folders
from lib_ti.prep.layered_image import Piece
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.wording import quoted


def found_pictures(config: PrepareConfig, upscalers: Iterable[str] = ()) -> tuple[Dataset, PreparedFolder]:
    """The pictures in the source folder, with their masks, and the prepared folder, which may not be there yet.

    Raises
    ------
    BadInput
        As :func:`make_plan`.
    """
    source, folder = _folders(config, upscalers)
    return scan(source, _rules(config)), folder


def found_picture(config: PrepareConfig, name: str, upscalers: Iterable[str] = ()) -> tuple[Item, PreparedFolder]:
    """One picture by its path from the source folder, with its mask, and the prepared folder.

    Raises
    ------
    BadInput
        Settings or folders that cannot serve, or no such file in the source folder.
    UnreadablePicture
        When it is no picture that can be used.
    """
    source, folder = _folders(config, upscalers)
    path = Path(name)
    outside = path.is_absolute() or ".." in path.parts or (len(path.parts) > 1 and not config.subfolders)
    outside = outside or path.as_posix() != name
    if outside or not (source / name).is_file():
        raise BadInput(f"There is no picture {quoted(name)} in the source folder {source}; choose another one.")
    return read_item(source, name, _rules(config)), folder


def _rules(config: PrepareConfig) -> Rules:
    return Rules(config.width, config.height, resize="keep", use_alpha=True, held_out=0.0, subfolders=config.subfolders)


def _folders(config: PrepareConfig, upscalers: Iterable[str]) -> tuple[Path, PreparedFolder]:
    wrong = problems(config)
    known = (LANCZOS, NO_UPSCALER, *upscalers)
    if config.upscaler.strip() and config.upscaler not in known:
        wrong.append(f"Upscaler is {quoted(config.upscaler)}; there are {', '.join(known)}.")
    source, output = Path(config.source), Path(config.output)
    if config.source.strip() and config.output.strip():
        wrong += wrong_folders(source, output)
    if wrong:
        raise BadInput(wrong)
    return source, PreparedFolder(output, source)


def open_piece(item: Item, *, cover: tuple[int, int] | None = None) -> Piece:
    """The picture as it is seen, with its transparency, where it has any, and its mask.

    Parameters
    ----------
    cover
        The size that the picture will be reduced to fill; see :func:`lib_ti.data.images.open_picture`.

    Raises
    ------
    UnreadablePicture
        When the picture or its mask cannot be used, or is another one by now.
    """
    picture = open_picture(item.path, with_alpha=item.has_alpha, cover=cover, data=read_picture(item))
    alpha = picture.alpha
    if alpha is not None and alpha.getextrema() == (255, 255):
        alpha = None
    return Piece(picture.image, alpha, read_item_mask(item, picture.image.size), item.caption)
