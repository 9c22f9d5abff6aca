"""The WebUI's folders, and those that the user allowed on our page of the WebUI's Settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from modules import paths_internal, shared

from lib_ti.paths import as_path, path_text


class WebUIFolders:
    """See :class:`lib_ti.host.base.Folders`."""

    @property
    def arguments(self) -> Mapping[str, str]:
        return {
            "embeddings_dir": str(self.embeddings.absolute()),
            "templates_dir": str(self.templates[0].absolute()),
        }

    @property
    def embeddings(self) -> Path:
        return Path(shared.cmd_opts.embeddings_dir)

    @property
    def datasets(self) -> Path:
        return Path(paths_internal.data_path) / "datasets"

    @property
    def templates(self) -> Sequence[Path]:
        """The WebUI's own; Forge Neo has no option for it, as it does not train."""
        folder = getattr(shared.cmd_opts, "textual_inversion_templates_dir", "")
        return (Path(folder or Path(paths_internal.data_path) / "textual_inversion_templates"),)

    @property
    def allowed(self) -> Sequence[Path] | None:
        """With ``--hide-ui-dir-config`` the log directory, the WebUI's ``datasets`` and the user's list; else None.

        That option of the WebUI is there so that a user of the page cannot reach all files of the machine.
        """
        if not shared.cmd_opts.hide_ui_dir_config:
            return None
        listed = [as_path(name) for name in shared.opts.ti_folders.split(",") if path_text(name)]
        return [
            as_path(shared.opts.ti_log_directory, "Log directory"),
            self.datasets,
            *listed,
        ]
