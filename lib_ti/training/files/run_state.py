"""Everything that a run is resumed from exactly: vectors, optimizer, loss scale, step, the best so far.

No random state is here: every draw is a function of (seed, step), see :mod:`lib_ti.training.step.diffusion` and
:mod:`lib_ti.data.batches`. One ``.safetensors`` file, written atomically; its metadata says what it belongs to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lib_ti.config import TrainConfig, described, with_present_names
from lib_ti.errors import BadInput
from lib_ti.storage.atomic import write_atomically
from lib_ti.training.step.optimizers import ADAMW
from lib_ti.wording import quoted

FORMAT = "lib_ti run state 1"


@dataclass(frozen=True)
class Identity:
    """What a state belongs to, compared when a run is resumed."""

    run: str
    """Random identity of the run, also in the recipe of every embedding it writes."""
    model_name: str
    model_hash: str
    dataset: str
    """Fingerprint of images, captions and sizes."""
    template: str
    """The template's lines."""
    settings: Mapping[str, Any]
    """All settings of the run, as plain data."""
    images: Sequence[str] = ()
    """Digests of the images' contents, shortened; empty in states of earlier versions."""
    optimizer: str = ADAMW
    """Name of the optimizer; states of earlier versions have none, and are of AdamW."""

    @property
    def data(self) -> str:
        """Identify what the validation loss is computed on: losses of different values cannot be compared."""
        settings = {name: self.settings.get(name) for name in VALIDATED_BY}
        return hashlib.sha256(json.dumps([self.dataset, self.template, settings]).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class RunState:
    """A run after ``step`` finished steps. Tensors are float32 on the CPU, keyed by encoder or optimizer slot."""

    identity: Identity
    step: int
    vectors: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    scale: Mapping[str, Tensor]
    preview_seed: int
    first_step: int
    """Steps that were finished when the run began: the warm-up and the cosine count from there."""
    published: int = 0
    """Step of the file in the embeddings folder when this was saved; tells a killed run from another file."""
    ended: bool = False
    """Whether the run ended by itself; its best step may then be in the embeddings folder, while ``step`` is the last.
    """
    smoothed: float | None = None
    best_step: int | None = None
    """Step of the lowest validation loss so far; None before the first check."""
    best_vectors: Mapping[str, Tensor] = field(default_factory=dict)
    seconds: float = 0.0
    """How long the run has taken so far, over all its sessions."""
    initial_norms: Mapping[str, Tensor] = field(default_factory=dict)
    """(count,) by encoder: the norms of the vectors that the embedding's training started from; empty in states of
    earlier versions."""

    def save(self, path: Path) -> None:
        groups = {
            "vectors": self.vectors,
            "optimizer": self.optimizer,
            "scale": self.scale,
            "best": self.best_vectors,
            "norms": self.initial_norms,
        }
        tensors = {f"{group}/{key}": t.contiguous() for group, items in groups.items() for key, t in items.items()}
        values = {
            "step": self.step,
            "preview_seed": self.preview_seed,
            "first_step": self.first_step,
            "published": self.published,
            "ended": self.ended,
            "smoothed": self.smoothed,
            "best_step": self.best_step,
            "seconds": self.seconds,
            "identity": vars(self.identity),
        }
        metadata = {"format": FORMAT, "state": json.dumps(values)}
        write_atomically(path, lambda beside: save_file(tensors, beside, metadata=metadata))


def load_state(path: Path) -> RunState:
    """Read a state file.

    Raises
    ------
    BadInput
        When the file is no state of a run, or is damaged.
    """
    groups: dict[str, dict[str, Tensor]] = {"vectors": {}, "optimizer": {}, "scale": {}, "best": {}, "norms": {}}
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise BadInput(f"{path} is not the state of a run; remove it to start a new run.")
            values = json.loads(metadata["state"])
            for name in file.keys():  # noqa: SIM118 - a safetensors file is not iterable
                group, _, key = name.partition("/")
                groups[group][key] = file.get_tensor(name)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadInput(f"{path} is damaged ({error}); remove it to start a new run.") from error
    if "best" in values:
        values = _of_earlier_version(values)
    return RunState(
        **{**values, "identity": Identity(**values["identity"])},
        vectors=groups["vectors"],
        optimizer=groups["optimizer"],
        scale=groups["scale"],
        best_vectors=groups["best"],
        initial_norms=groups["norms"],
    )


def _of_earlier_version(values: dict[str, Any]) -> dict[str, Any]:
    """Convert the values of a state that has the best loss in it, and no time."""
    kept = {key: value for key, value in values.items() if key not in ("best", "first_loss", "checks_since_best")}
    return {**kept, "best_step": values["best"][0] if values["best"] else None}


def compare(old: Identity, new: Identity) -> tuple[list[str], list[str]]:
    """Compare a state with the run that resumes it.

    Returns
    -------
    tuple
        Reasons to refuse (another model or optimizer), and changes that are applied and reported: sentences.
    """
    refusals: list[str] = []
    if old.model_hash != new.model_hash:
        refusals.append(
            f"The run so far was trained on {old.model_name} [{old.model_hash}], and the model is now "
            f"{new.model_name} [{new.model_hash}]: choose that model, or create a new embedding for this one."
        )
    if old.optimizer != new.optimizer:
        refusals.append(
            f"The run so far was trained with the optimizer {quoted(old.optimizer)}, whose state "
            f"{quoted(new.optimizer)} cannot continue: set Vector norm back to "
            f"{quoted(str(old.settings.get('vector_norm', 'free')))}, or create a new embedding."
        )
    changes: list[str] = []
    if old.dataset != new.dataset:
        changes.append(
            "The images, captions or sizes have changed: the run continues with the new ones, and validation "
            "losses are compared from here on only."
        )
    if old.template != new.template:
        changes.append("The prompt template has changed: the run continues with the new lines.")
    old_settings = with_present_names(TrainConfig, old.settings)
    for name, _, default, setting in described(TrainConfig):
        # States of earlier versions lack newer settings, whose defaults are what those versions did.
        before, now = old_settings.get(name, default), new.settings.get(name, default)
        if before != now and name not in NEVER_MATTER:
            changes.append(f"{setting.name} was {quoted(before)} and is {quoted(now)} from the next step on.")
    if new.settings.get("learning_rate_decay") == "cosine" and old.settings.get("max_steps") != new.settings.get(
        "max_steps"
    ):
        changes.append("The cosine decay now ends at the new Max steps: the learning rate changes abruptly.")
    return refusals, changes


VALIDATED_BY = ("seed", "resize", "use_alpha")
"""Settings that change what the validation loss is about, besides what the dataset's fingerprint holds."""
NEVER_MATTER = frozenset(
    {"max_steps", "log_directory", "dataset", "template", "name", "cache_latents", "gradient_checkpointing"}
)
"""Settings whose change needs no message: they change no result, or their change is reported elsewhere."""
