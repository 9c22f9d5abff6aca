"""The tools of a machine without a WebUI: BLIP and upscalers from local folders, inpainting by the host's own model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib_ti.errors import BadInput
from lib_ti.host.base import SessionOptions
from lib_ti.host.captioners import folders
from lib_ti.host.clip.tokenizer import token_spans
from lib_ti.host.embedded.image_tools import upscaling
from lib_ti.host.embedded.models import EmbeddedModels
from lib_ti.host.tools import DEFAULT_TAGS, Captioner, Inpainter, Report, TagOptions, Upscaler
from lib_ti.lazy import lazy
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.host.embedded import inpainting
    from lib_ti.host.embedded.image_tools import blip
else:
    blip = lazy("lib_ti.host.embedded.image_tools.blip")
    inpainting = lazy("lib_ti.host.embedded.inpainting")

CAPTIONER = "BLIP"
_SOURCE = "the files of Salesforce/blip-image-captioning-base on huggingface.co, 1 GB"
_NEEDED = (("config.json",), ("model.safetensors",), ("tokenizer.json", "vocab.txt"))
"""Files of the captioner's folder; of several, one is enough."""
_COARSE_BELOW = 256
"""Side in pixels below which what a model inpaints is too coarse to train on."""


@dataclass(frozen=True)
class ToolFolders:
    """Where models of tools are: BLIP as ``transformers`` saves it, a folder for each further captioner, upscalers."""

    blip: Path = Path("models/BLIP")
    captioners: Path = Path("models/captioners")
    upscalers: Path = Path("models/ESRGAN")


DEFAULT_FOLDERS = ToolFolders()


class EmbeddedTools:
    """The tools of :class:`lib_ti.host.embedded.host.EmbeddedHost`; see :class:`lib_ti.host.tools.Tools`.

    Parameters
    ----------
    tool_folders
        Where their models are.
    """

    can_inpaint = True

    def __init__(self, models: EmbeddedModels, tool_folders: ToolFolders) -> None:
        self._models, self._folders = models, tool_folders

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        return token_spans(text)

    @property
    def captioners(self) -> Sequence[str]:
        """BLIP is the first, unless only others have a folder."""
        others = tuple(self._others)
        return (CAPTIONER, *others) if self._folders.blip.is_dir() or not others else (*others, CAPTIONER)

    @property
    def _others(self) -> dict[str, Path]:
        return folders.captioner_folders(self._folders.captioners, (CAPTIONER,))

    @contextmanager
    def captioner(self, name: str, report: Report, tags: TagOptions = DEFAULT_TAGS) -> Iterator[Captioner]:
        folder, others = self._folders.blip, self._others
        if name in others:
            report(f"Loading the captioner {name} from {others[name]}.")
            yield folders.load(others[name], tags, self._models.device)
            return
        if name != CAPTIONER:
            raise BadInput(f"There is no captioner {quoted(name)} here; use {', '.join(self.captioners)}.")
        missing = [" or ".join(files) for files in _NEEDED if not any((folder / file).is_file() for file in files)]
        if missing:
            raise BadInput(
                f"The captioner {CAPTIONER} needs its model in the folder {folder.absolute()}, where there is no "
                f"{', no '.join(missing)}: put {_SOURCE}, into it, or give another folder with --captioner-dir."
            )
        report(f"Loading the captioner {CAPTIONER} from {folder}.")
        yield blip.load(folder, self._models.device)

    @property
    def upscalers(self) -> Sequence[str]:
        return tuple(upscaling.model_files(self._folders.upscalers))

    @contextmanager
    def upscaler(self, name: str, report: Report) -> Iterator[Upscaler]:
        folder = self._folders.upscalers
        files = upscaling.model_files(folder)
        if name not in files:
            found = (
                f"there are {', '.join(files)}" if files else f"put its {' or '.join(upscaling.SUFFIXES)} file there"
            )
            raise BadInput(
                f"There is no upscaler {quoted(name)} in the folder {folder.absolute()}; {found}, or use Lanczos."
            )
        report(f"Loading the upscaler {name}.")
        yield upscaling.load(files[name], self._models.device)

    @contextmanager
    def inpainter(self, report: Report) -> Iterator[Inpainter]:
        with self._models.session(SessionOptions(report=report)) as model:
            if model.info.size < _COARSE_BELOW:
                report(
                    f"The model {model.info.name} generates images of {model.info.size} pixels, so what it inpaints is "
                    "coarse; choose another checkpoint, or a plain fill method."
                )
            yield inpainting.EmbeddedInpainter(model)
