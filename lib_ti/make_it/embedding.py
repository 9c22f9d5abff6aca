"""The phase that creates the embedding, with a text that the model suggests where the user gave none."""

from __future__ import annotations

import time

from lib_ti.config import PRESETS, CreateConfig, SuggestConfig
from lib_ti.embedding import library
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.base import Host
from lib_ti.make_it.images import TEMPLATE
from lib_ti.make_it.making import Making, Outcome
from lib_ti.make_it.state import MakeState
from lib_ti.signals import Control, Event, Progress
from lib_ti.training.create import check_new_name, create
from lib_ti.training.suggest.initial_text import suggest
from lib_ti.wording import counted, printable, quoted

TEXT = "initialization_text"
"""Fact: the text that the embedding starts from, decided before it is created."""
NEUTRAL = {"style": "style", "subject": "*"}
"""Texts to start from where no word helps, by the kind of what is shown."""
MOST_SECONDS = 300.0
"""Time that comparing words may take; on a large model without a graphics card it would take hours."""
_SEEN = 0.02
"""Share of the words after which that time is judged."""


def check_keyword(host: Host, keyword: str, state: MakeState | None) -> None:
    """Raise :class:`BadInput` where a keyword cannot be used, or an embedding has it that is not of ``state``."""
    check_new_name(host.tools, keyword)
    taken = library.find_all(host.folders.embeddings, keyword)
    ours = state is not None and state.settings.get("keyword") == keyword and TEXT in state.facts
    if taken and not ours:
        raise BadInput(
            f"The keyword {quoted(keyword)} is taken by the embedding {taken[0]}: choose another one, or train that "
            "one further in Train."
        )


def choose_text(making: Making) -> Outcome:
    """Choose the text that the embedding starts from: the user's, else one that the model suggests."""
    config = making.config
    if config.what.strip():
        return Outcome((f"The embedding starts from “{config.what.strip()}”.",), {TEXT: config.what.strip()})
    neutral = NEUTRAL[config.kind]
    clock = _Clock(making)
    settings = SuggestConfig(
        dataset=str(making.folder.path),
        template=making.state.facts[TEMPLATE],
        log_directory=config.log_directory,
    )
    try:
        found = suggest(making.host, settings, clock.listen, clock.control)
    except Stopped:
        if not clock.too_long:
            raise
        said = f"Comparing words would take about {clock.too_long / 60:.0f} minutes here"
        return Outcome((f"{said}: the embedding starts from “{neutral}”.",), {TEXT: neutral})
    if not found.words:
        return Outcome((f"No word helps the model: the embedding starts from “{neutral}”.",), {TEXT: neutral})
    best = found.words[0]
    others = ", ".join(printable(word.text) for word in found.words[1:])
    also = f" Others that help: {others}." if others else ""
    saved = f"{best.gain:.0%} less error than without a word"
    return Outcome((f"The embedding starts from “{printable(best.text)}”: {saved}.{also}",), {TEXT: best.text})


def create_embedding(making: Making) -> Outcome:
    """Create the embedding, unless it was created before this was interrupted."""
    config, facts = making.config, making.state.facts
    vectors = PRESETS[config.kind].vectors
    if library.find_all(making.host.folders.embeddings, config.keyword):
        return Outcome((f"{config.keyword} exists since this was interrupted.",))
    settings = CreateConfig(name=config.keyword, text=facts[TEXT], vectors=vectors)
    created = making.when_free(lambda: create(making.host, settings))
    said = f"Created {config.keyword} with {counted(vectors, 'vector')}: {created.path}."
    return Outcome((said, *created.notes, *created.warnings))


class _Clock:
    """Passes events of a suggestion on, and stops it where it would take too long.

    ``too_long`` is the time in seconds that it would take then, else 0.
    """

    def __init__(self, making: Making) -> None:
        self._making, self.control, self.too_long = making, _Linked(making.control), 0.0
        self._started = 0.0

    def listen(self, event: Event) -> None:
        self._making.listen(event)
        if not (isinstance(event, Progress) and event.stage == "Comparing words"):
            return
        now = time.monotonic()
        self._started = self._started or now
        if event.done >= _SEEN * event.total:
            expected = (now - self._started) * event.total / max(1, event.done)
            if expected > MOST_SECONDS and event.done < event.total / 2:
                self.too_long = expected
                self.control.stop()


class _Linked(Control):
    """A control of its own that also follows another one's request to stop."""

    def __init__(self, other: Control) -> None:
        super().__init__()
        self._other = other

    @property
    def stop_requested(self) -> bool:
        return super().stop_requested or self._other.stop_requested
