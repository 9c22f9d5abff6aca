"""The host of a machine without a WebUI: one checkpoint file and some folders."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_ti.host.embedded.models import AUTO, PLAIN, EmbeddedModels, Variant
from lib_ti.host.embedded.tools import DEFAULT_FOLDERS, EmbeddedTools, ToolFolders


class EmbeddedHost:
    """A host made of one checkpoint file and some folders; see :class:`lib_ti.host.base.Host`.

    Parameters
    ----------
    checkpoint, device, prediction, variant
        See :class:`EmbeddedModels`.
    embeddings_folder, template_folders
        Where finished embeddings go, and where prompt templates are besides the shipped ones.
    allowed_folders
        Folders that users of a page may name; None for all.
    tool_folders
        See :class:`EmbeddedTools`.

    Raises
    ------
    BadInput
        When there is no such device or prediction.
    """

    def __init__(
        self,
        checkpoint: Path,
        *,
        embeddings_folder: Path,
        template_folders: Sequence[Path] = (),
        allowed_folders: Sequence[Path] | None = None,
        device: str = "auto",
        prediction: str = AUTO,
        variant: Variant = PLAIN,
        tool_folders: ToolFolders = DEFAULT_FOLDERS,
    ) -> None:
        self.models = EmbeddedModels(checkpoint, device, prediction, variant=variant)
        self.tools = EmbeddedTools(self.models, tool_folders)
        self.folders = GivenFolders(embeddings_folder, tuple(template_folders), allowed_folders)


@dataclass(frozen=True)
class GivenFolders:
    """Folders from the command line; see :class:`lib_ti.host.base.Folders`."""

    embeddings: Path
    templates: tuple[Path, ...] = ()
    allowed: Sequence[Path] | None = None
    datasets: Path = Path("datasets")

    @property
    def arguments(self) -> Mapping[str, str]:
        """Full paths by the names of the command line's options."""
        templates = os.pathsep.join(str(folder.absolute()) for folder in self.templates)
        return {
            "embeddings_dir": str(self.embeddings.absolute()),
            **({"templates_dir": templates} if templates else {}),
        }
