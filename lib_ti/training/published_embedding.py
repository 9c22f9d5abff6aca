"""The embedding's file in the embeddings folder while a run trains it, and its preview there."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import ModelHost
from lib_ti.signals import Listener, LogMessage
from lib_ti.storage import aside
from lib_ti.storage.atomic import remove_leftovers, write_bytes
from lib_ti.training.images.previews import show_on_card


class PublishedEmbedding:
    """The file at ``path``, which a run replaces at every save.

    What someone else puts there in the meantime is moved aside and reported.
    """

    def __init__(self, host: ModelHost, path: Path, listen: Listener) -> None:
        self.path = path
        self._host, self._listen = host, listen
        self._digest = _digest(path)
        remove_leftovers(path)

    def keep_start(self, checkpoint: Path) -> None:
        """Copy the file as it is before the first step, for a run that starts from other vectors than its own."""
        write_bytes(checkpoint, self.path.read_bytes())
        self._listen(LogMessage(f"The embedding as it was before this run is kept as {checkpoint}."))

    def save(self, embedding: Embedding) -> None:
        """Write the embedding; see :func:`lib_ti.embedding.files.save` for the errors."""
        digest = _digest(self.path)
        with nullcontext() if digest == self._digest else aside.kept(self.path) as kept:
            files.save(embedding, self.path)
        self._digest = _digest(self.path)
        if kept:
            self._warn(f"{self.path} was replaced by another file while it was trained: that one is now {kept}.")
        elif digest is None:
            self._warn(f"{self.path} was moved or removed while it was trained, and is written again.")

    def refresh(self) -> None:
        """Have the host load the file, and warn where it cannot."""
        if warning := self._host.embedding_saved(self.path):
            self._warn(warning)

    def show(self, preview: Path) -> None:
        """Show a preview of the run on the embedding's card in the WebUI."""
        if kept := show_on_card(preview, self.path):
            self._listen(LogMessage(f"The preview that {self.path.name} had is kept as {kept}."))

    def _warn(self, sentence: str) -> None:
        self._listen(LogMessage(sentence, warning=True))


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, None where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
