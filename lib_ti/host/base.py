"""The seam between the engine and the programs that have models: a host is a ModelHost, Tools and Folders.

Everything outside ``host`` knows these Protocols, :mod:`lib_ti.host.model` and :mod:`lib_ti.host.tools`, and no
implementation. Functions take the part that they use, and the whole :class:`Host` only where they use several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from lib_ti.host.tools import Tools

if TYPE_CHECKING:
    import torch

    from lib_ti.families.model_info import ModelInfo
    from lib_ti.host.model import Model
    from lib_ti.signals import Event

Precision = Literal["auto", "float32", "float16", "bfloat16"]


@dataclass(frozen=True)
class SessionOptions:
    """How a model is acquired."""

    precision: Precision = "auto"
    report: Callable[[str], None] | None = None
    """Called with a sentence while the host waits, such as for an image that is being generated."""
    stop: Callable[[], bool] | None = None
    """Called while the host waits for its turn; True raises :class:`lib_ti.errors.Stopped`."""
    wait: bool = True
    """Whether to wait while something else uses the model, or to raise :class:`lib_ti.errors.Busy` at once."""
    describe_only: bool = False
    """Whether nothing of the model is run, so that a host that would have to load it need not."""


@dataclass(frozen=True)
class InitialVectors:
    """Vectors that a new embedding starts from, (count, width) float32 on the CPU by encoder, and their model."""

    vectors: Mapping[str, torch.Tensor]
    model_name: str
    model_hash: str
    """As :attr:`ModelInfo.hash`."""


class ModelHost(Protocol):
    """The model at hand, and what surrounds a run on it."""

    @property
    def arguments(self) -> Mapping[str, str]:
        """Which model this is, as plain text for a run's settings file: enough to acquire it again."""
        ...

    @property
    def size(self) -> int:
        """Image side in pixels that the model was made for, as far as is known without loading it."""
        ...

    @property
    def checks_by_trial(self) -> bool:
        """Whether checking a run may try a step: not where the model would displace that of the program around us."""
        ...

    @property
    def without_effect(self) -> Mapping[str, str]:
        """Settings of a run that change nothing with this host's models, each with the reason as a sentence."""
        ...

    @property
    def known(self) -> ModelInfo | None:
        """Description of the model that is loaded, as far as an earlier session told it; acquires and loads nothing."""
        ...

    def session(self, options: SessionOptions) -> AbstractContextManager[Model]:
        """Acquire the model. The only place where host state changes; all of it is undone on leaving, however left.

        Raises
        ------
        BadInput
            When there is no usable model: missing, truncated, of another family.
        """
        ...

    def initial_vectors(self, text: str, count: int) -> InitialVectors:
        """Return ``count`` vectors that start from the tokens of ``text``, for a new embedding; never waits.

        Raises
        ------
        BadInput
            When there is no usable model, or ``text`` has no token.
        Busy
            When the host's model is needed for it and busy.
        """
        ...

    def watch(self, event: Event) -> None:
        """Take note of an event of a run, for the host's own progress bar; must be quick and must not raise."""
        ...

    def interrupted(self) -> str:
        """Return what asked to stop, such as the host's own Interrupt, for "was stopped by …"; else an empty text."""
        ...

    def embedding_saved(self, path: Path) -> str:
        """Load the embedding at ``path``, which has just been written, where the host keeps embeddings in memory.

        Never raises.

        Returns
        -------
        str
            A full sentence for the user where that failed, else empty.
        """
        ...


class Folders(Protocol):
    """Where the host's files are."""

    @property
    def arguments(self) -> Mapping[str, str]:
        """The folders as plain text for a run's settings file, by the names of the command line's options."""
        ...

    @property
    def embeddings(self) -> Path:
        """Where finished embeddings go."""
        ...

    @property
    def datasets(self) -> Path:
        """Where images go that are brought in, a folder for each set; it may not exist yet."""
        ...

    @property
    def templates(self) -> Sequence[Path]:
        """Folders of prompt templates besides the shipped ones; the first that has a name counts."""
        ...

    @property
    def allowed(self) -> Sequence[Path] | None:
        """Folders that users of a page may name when they are not this machine's owner; None for all."""
        ...


class Host(Protocol):
    """A program that has models, tools and folders: the WebUI's session, or this program by itself."""

    @property
    def models(self) -> ModelHost: ...

    @property
    def tools(self) -> Tools: ...

    @property
    def folders(self) -> Folders: ...


def run_arguments(host: Host) -> dict[str, str]:
    """Return the model and folders of a host as plain text for a run's settings file."""
    return {**host.models.arguments, **host.folders.arguments}
