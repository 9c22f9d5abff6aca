"""The images of a folder as training uses them where they are not prepared. Knows no Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.lazy import lazy
from lib_ti.paths import as_path, path_text
from lib_ti.ui import reach

if TYPE_CHECKING:
    from lib_ti.data import dataset
    from lib_ti.data import scan as scanning
    from lib_ti.data.dataset import Dataset
else:
    dataset = lazy("lib_ti.data.dataset")
    scanning = lazy("lib_ti.data.scan")


def scan(folders: Folders, folder: str, values: Mapping[str, Any]) -> Dataset:
    """Read the images of a folder as a run with these settings would use them.

    Raises
    ------
    BadInput
        When there is nothing to train on.
    """
    if not path_text(folder):
        raise BadInput("No folder is chosen: enter the path of the folder with your images.")

    reach.check(folders, {"Dataset directory": folder})
    width, height = int(values.get("width") or 0), int(values.get("height") or 0)
    unknown = not (width and height)
    rules = dataset.Rules(
        width or 64,
        height or 64,
        # The model's size is known only once it is loaded; until then the images are shown at their own.
        resize="keep" if unknown else values["resize"],
        use_alpha=bool(values["use_alpha"]),
        validation_split=float(values["validation_split"] or 0),
        seed=int(values["seed"] or 0),
        subfolders=bool(values["subfolders"]),
    )
    return scanning.scan(as_path(folder, "Dataset directory"), rules)
