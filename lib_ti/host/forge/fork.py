"""What differs from one fork to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from modules import hashes, sd_models, shared

from lib_ti.errors import BadInput
from lib_ti.host.embedded.files.hashes import file_hash

_NONE = ("", "None", "Automatic")
"""Names of choices in the forks' lists that are no file's."""


@dataclass(frozen=True)
class Selected:
    """The model that the user has selected in the fork: what a session trains on, whatever is selected meanwhile.

    Parameters
    ----------
    name
        Of the checkpoint in the fork's list, without its hash.
    autoencoder
        A VAE file that takes the place of the checkpoint's own autoencoder.
    clip_skip
        1 to 12.
    from_own
        Keys of the families whose clip skip counts from the layer that the fork uses without it.
    """

    checkpoint: Path
    name: str
    autoencoder: Path | None = None
    clip_skip: int = 1
    from_own: frozenset[str] = frozenset()

    def sha256(self, path: Path) -> str:
        """Return the hash of the checkpoint file from the fork's cache, which computes it once for each file."""
        return hashes.sha256(str(path), f"checkpoint/{self.name}") or file_hash(path)


class Fork(Protocol):
    """One of the forks."""

    @property
    def name(self) -> str: ...

    def selected(self) -> Selected:
        """Return the selected model, without touching the fork's own.

        Raises
        ------
        BadInput
            When there is none, or it is put together in a way that is not trained here.
        """
        ...

    def free(self) -> None:
        """Take the fork's models off the device; called with its queue lock held. The next image brings them back."""
        ...

    def refresh(self, path: Path) -> None:
        """Load an embedding into what the fork's next image looks names up in; nothing without a loaded model."""
        ...


def selected_checkpoint() -> Any:
    """Return the ``CheckpointInfo`` of the selected checkpoint, as the forks choose it.

    Raises
    ------
    BadInput
        When there is none.
    """
    found = sd_models.checkpoint_aliases.get(shared.opts.sd_model_checkpoint)
    found = found or next(iter(sd_models.checkpoints_list.values()), None)
    if found is None:
        raise BadInput("There is no checkpoint: put one into models/Stable-diffusion, and select it at the top left.")
    return found


def clip_skip() -> int:
    """Return the setting Clip skip, 1 to 12."""
    return max(1, int(getattr(shared.opts, "CLIP_stop_at_last_layers", 1)))


def chosen(option: str) -> str:
    """Return the value of a setting that names a file; empty where it names none, or there is no such setting."""
    value = str(getattr(shared.opts, option, None) or "")
    return "" if value in _NONE else value


def refuse_text_encoders(names: Sequence[str]) -> None:
    """Raise :class:`BadInput` where text encoders are loaded from files of their own."""
    if names:
        listed = ", ".join(names)
        raise BadInput(
            f"The text encoder of the selected model is in a file of its own ({listed}), which cannot be trained "
            "with: choose a checkpoint that has its text encoder, and remove that file from the selection."
        )
