"""The validation samples of a finished run, read and encoded again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib_ti.config import TrainConfig, described, from_mapping, with_present_names
from lib_ti.data import latents
from lib_ti.data.templates import Template
from lib_ti.errors import BadInput
from lib_ti.host.model import Model
from lib_ti.paths import folder_problem
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.files.run_state import Identity, load_state
from lib_ti.training.run_plan import read_dataset, training_size
from lib_ti.training.validation.samples import RunSamples
from lib_ti.wording import quoted

_ENCODED_AT_ONCE = 4
Progress = Callable[[str, int, int], None]
"""Called with the stage, and what is done of how much; may raise to stop."""


@dataclass(frozen=True)
class FormerRun:
    """What a run was about: its identity, and its settings as far as this version knows them."""

    folder: RunFolder
    identity: Identity
    config: TrainConfig

    @classmethod
    def of(cls, folder: RunFolder) -> FormerRun:
        """Read a run's state.

        Raises
        ------
        BadInput
            When its state is damaged, or its Dataset directory is no longer there.
        """
        identity = load_state(folder.state).identity
        known = {name for name, *_ in described(TrainConfig)}
        present = with_present_names(TrainConfig, identity.settings)
        settings = {name: value for name, value in present.items() if name in known}
        config = from_mapping(TrainConfig, settings, source=str(folder.state))
        if problem := folder_problem(Path(config.dataset)):
            raise BadInput(
                f"The losses are computed on the images of the run {quoted(folder.path)}, whose Dataset directory "
                f"{problem}"
            )
        return cls(folder, identity, config)

    def samples(self, model: Model, progress: Progress, stop: Callable[[], bool]) -> tuple[RunSamples, tuple[str, ...]]:
        """Return the images of the run's checks as samples, and sentences on what is no longer as it was.

        Raises
        ------
        BadInput
            When no image can be read.
        Stopped
            When ``stop`` returns True.
        """
        config, identity = self.config, self.identity
        dataset = read_dataset(
            config, training_size(config, model.info.size), lambda done, total: progress("Reading images", done, total)
        )
        notes = []
        if dataset.fingerprint != identity.dataset:
            notes.append(
                "The images, captions or sizes have changed since the run: these losses are of the images as they are."
            )
        if identity.model_hash != model.info.hash:
            notes.append(
                f"The run was on {identity.model_name} [{identity.model_hash}], and this is {model.info.name} "
                f"[{model.info.hash}]."
            )
        dataset, encoded = latents.encode(
            dataset,
            model,
            cache_folder=self.folder.path.parents[1] / ".latents" if config.cache_latents else None,
            batch_size=_ENCODED_AT_ONCE,
            progress=lambda done, total: progress("Encoding images", done, total),
            stop=stop,
        )
        lines = tuple(identity.template.split("\n"))
        template = Template(config.template, Path(config.template), lines, tuple(range(1, len(lines) + 1)))
        return RunSamples.of(dataset, encoded, template, self.folder.name), tuple(notes)
