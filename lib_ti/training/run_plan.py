"""Everything that is known before a run: what it needs, and every finding about it. Nothing is written.

Three read it: the run itself, the tab's Check and ``train --check``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from lib_ti.config import TrainConfig
from lib_ti.data.dataset import Dataset, Resize, Rules
from lib_ti.data.preparations import without_excluded
from lib_ti.data.scan import scan
from lib_ti.data.templates import check_template
from lib_ti.embedding import files, library
from lib_ti.errors import BadInput
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.base import Host, SessionOptions
from lib_ti.host.model import Model
from lib_ti.training.checks.disk_space import check_disk_space
from lib_ti.training.checks.findings import Finding, findings
from lib_ti.training.checks.norms import check_norms
from lib_ti.training.checks.preset import absolute, check_preset
from lib_ti.training.checks.prompts import check_prompts
from lib_ti.training.checks.settings import check_settings
from lib_ti.training.images.previews import check_previews
from lib_ti.training.inputs import RunInputs, read_inputs
from lib_ti.training.resume import RunTarget, choose_target, continued_run
from lib_ti.training.validation.samples import basis
from lib_ti.wording import counted

Progress = Callable[[int, int], None]
"""Called with the number of files done, and of all."""


@dataclass(frozen=True)
class RunPlan:
    """What a run works on. ``size`` is width and height in pixels; the model is acquired while the plan is open.

    ``config`` has the step of the end and the absolute learning rate, whatever a preset says.
    """

    config: TrainConfig
    inputs: RunInputs
    model: Model
    size: tuple[int, int]
    dataset: Dataset
    target: RunTarget


@dataclass
class Preparation:
    """Findings about a run, and what they are about.

    Parameters
    ----------
    plan
        None where an error left it incomplete.
    """

    findings: list[Finding] = field(default_factory=list)
    refusals: list[BadInput] = field(default_factory=list)
    plan: RunPlan | None = None

    def add(self, *found: Finding) -> None:
        self.findings += found

    def refuse(self, error: BadInput) -> None:
        """Add the problems of an error, which is a reason not to start."""
        self.refusals.append(error)
        self.findings += findings("error", error.problems)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Turn :class:`BadInput` into error findings."""
        try:
            yield
        except BadInput as error:
            self.refuse(error)

    def require(self) -> RunPlan:
        """Return the plan, or raise :class:`BadInput` with all errors."""
        if len(self.refusals) == 1:
            raise self.refusals[0]
        if self.refusals or self.plan is None:
            raise BadInput([problem for error in self.refusals for problem in error.problems])
        return self.plan


@contextmanager
def prepare_run(
    host: Host,
    config: TrainConfig,
    options: SessionOptions,
    *,
    hold: Callable[[Path], AbstractContextManager[object]] = nullcontext,
    progress: Progress | None = None,
) -> Iterator[Preparation]:
    """Collect what a run with these settings needs and all findings about it, with the model acquired.

    Parameters
    ----------
    hold
        Entered with the embedding's file before the model is acquired, to keep others from training it.
    progress
        Of reading the images.

    Raises
    ------
    Busy
        When ``options`` do not allow to wait for the model.
    """
    prepared = Preparation()
    with ExitStack() as stack:
        try:
            inputs = read_inputs(host.folders, config)
            stack.enter_context(hold(inputs.path))
            model = stack.enter_context(host.models.session(options))
        except BadInput as error:
            prepared.refuse(error)
        else:
            info = model.info
            size = training_size(config, info.size)
            names = library.list_names(host.folders.embeddings)
            settled = _check_settings(prepared, config, inputs, info, names)
            said = f"Model {info.name} [{info.hash}], trained at {size[0]} × {size[1]} on {model.device}."
            prepared.add(Finding("good", said), *findings("good", [info.recognized] if info.recognized else []))
            with prepared.collecting():
                check_previews(model, settled, size)
            images = _check_images(prepared, settled, inputs, size, progress)
            if images is not None:
                _check_with_model(prepared, settled, inputs, model, images)
        yield prepared


def survey_run(host: Host, config: TrainConfig, progress: Progress | None = None) -> list[Finding]:
    """Return the findings about a run that need no model, which is neither loaded nor waited for.

    Parameters
    ----------
    progress
        Of reading the images; may raise to stop.
    """
    prepared, known = Preparation(), host.models.known
    with prepared.collecting():
        inputs = read_inputs(host.folders, config)
        size = training_size(config, known.size if known else host.models.size)
        settled = inputs.config
        if known:
            settled = _check_settings(prepared, config, inputs, known, library.list_names(host.folders.embeddings))
        images = _check_images(prepared, settled, inputs, size, progress)
        with prepared.collecting():
            if images is not None and known and not prepared.refusals:
                _check_target(prepared, settled, inputs, known, images)
        with prepared.collecting():
            if images is not None:
                _check_template(inputs, images)
    return prepared.findings


def training_size(config: TrainConfig, of_model: int) -> tuple[int, int]:
    """Return width and height in pixels: those of the settings, else the one that the model was made for."""
    return config.width or of_model, config.height or of_model


def read_dataset(config: TrainConfig, size: tuple[int, int], progress: Progress | None = None) -> Dataset:
    """Return the dataset as the run uses it, less what was excluded by hand; no validation split without validation."""
    rules = Rules(
        *size,
        resize=cast("Resize", config.resize),
        use_alpha=config.use_alpha,
        validation_split=config.validation_split if config.validate_every else 0.0,
        seed=config.seed,
        subfolders=config.subfolders,
    )
    return without_excluded(scan(Path(config.dataset), rules, progress=progress))


def about_images(dataset: Dataset) -> list[Finding]:
    """Return the sums of a dataset, what was skipped, and what could be better."""
    skipped = [f"{one.shown} is skipped: {one.reason}." for one in dataset.skipped]
    return [
        *findings("warning", (*skipped, *dataset.notes), about_images=True),
        *findings("good", dataset.sums, about_images=True),
    ]


def _check_settings(
    prepared: Preparation, config: TrainConfig, inputs: RunInputs, info: ModelInfo, embeddings: Sequence[str]
) -> TrainConfig:
    """Check what needs the model's description, but no images; return the settings with an absolute learning rate."""
    settled, embedding = replace(inputs.config, learning_rate=absolute(config, info)), inputs.embedding
    prepared.add(*check_preset(config, embedding.step, settled.max_steps, info))
    earlier = continued_run(settled, embedding)
    step = earlier[1].step if earlier else embedding.step  # the file may be that of the best step
    steps, vectors = counted(max(0, settled.max_steps - step), "step"), counted(embedding.count, "vector")
    begun = f"continues after step {step}" if step else "is new"
    prepared.add(Finding("good", f"Embedding {embedding.name} has {vectors} and {begun}: {steps} to go."))
    prepared.add(*findings("warning", check_settings(settled, inputs.template, info, embeddings, embedding.count)))
    if max(training_size(config, info.size)) < info.size:
        said = f"The training size is below the model's own {info.size}, at which it generates better images."
        prepared.add(Finding("warning", said))
    with prepared.collecting():
        files.check_fits(embedding, info)
    return settled


def _check_images(
    prepared: Preparation, config: TrainConfig, inputs: RunInputs, size: tuple[int, int], progress: Progress | None
) -> Dataset | None:
    """Check the images, and return them where there are any."""
    found: Dataset | None = None
    with prepared.collecting():
        found = read_dataset(config, size, progress)
        prepared.add(*about_images(found))
        if config.validate_every and not found.validation:
            prepared.add(Finding("info", basis(found)))
        prepared.add(check_disk_space(config, found, size, inputs.embedding))
    return found


def _check_with_model(
    prepared: Preparation, config: TrainConfig, inputs: RunInputs, model: Model, dataset: Dataset
) -> None:
    """Complete the plan where that is possible."""
    # Prompts and earlier runs of an embedding for another kind of model would only give the same problem again.
    fits = inputs.embedding.widths == dict(model.info.widths)
    if fits:
        with prepared.collecting():
            target = _check_target(prepared, config, inputs, model.info, dataset)
            size = training_size(config, model.info.size)
            prepared.plan = RunPlan(config, inputs, model, size, dataset, target)
    with prepared.collecting():
        _check_template(inputs, dataset)
        if fits:
            _check_prompts(prepared, inputs, model, dataset)


def _check_prompts(prepared: Preparation, inputs: RunInputs, model: Model, dataset: Dataset) -> None:
    warning = check_prompts(model, inputs.embedding, inputs.template, dataset)
    right = f"Every prompt of template {inputs.template.name} contains {inputs.embedding.name} and fits the model."
    prepared.add(Finding("warning", warning) if warning else Finding("good", right))


def _check_template(inputs: RunInputs, dataset: Dataset) -> None:
    check_template(inputs.template, [item.caption for item in dataset.all_items])


def _check_target(
    prepared: Preparation, config: TrainConfig, inputs: RunInputs, info: ModelInfo, dataset: Dataset
) -> RunTarget:
    """Check what the run continues; see :func:`lib_ti.training.resume.choose_target` for the errors."""
    target = choose_target(config, inputs.embedding, info, dataset, inputs.template)
    if not target.question:  # else these are about what happens after agreeing
        prepared.add(*target.findings)
    begun = inputs.embedding.with_vectors(target.state.vectors, step=target.state.step)
    prepared.add(*check_norms(config, begun, target.state.initial_norms, info))
    return target
