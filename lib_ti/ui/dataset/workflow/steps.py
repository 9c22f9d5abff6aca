"""The steps of the sub-tab Dataset in the order of work: when each is done, and what is still to do in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lib_ti.ui.dataset.workflow.state import DatasetState
from lib_ti.wording import counted


@dataclass(frozen=True)
class Step:
    """A step of the sub-tab Dataset.

    ``needs`` is the step that must come first, in which the folder is chosen or the images are prepared, as far as the
    step's own page does not say so. ``about`` says what it is for, empty likewise.
    """

    name: str
    title: str
    about: str
    progress: Callable[[DatasetState], Progress]
    optional: bool = False
    needs: str = ""

    @property
    def label(self) -> str:
        """Title with number, as it is shown."""
        return f"{number(self.name)} {self.title}{' (optional)' if self.optional else ''}"


@dataclass(frozen=True)
class Progress:
    """How far a step is.

    ``todo`` are phrases on what is left to do; ``begun`` says whether something was done in the step or for it.
    """

    done: bool
    todo: tuple[str, ...] = ()
    begun: bool = True


def number(name: str) -> int:
    return next(place for place, step in enumerate(STEPS, 1) if step.name == name)


def step_of(name: str) -> Step:
    return STEPS[number(name) - 1]


def next_step(name: str) -> Step | None:
    """Return the step after one; None after the last one."""
    return STEPS[number(name)] if number(name) < len(STEPS) else None


def blocked(step: Step, state: DatasetState) -> bool:
    """Whether the step that it needs was not made yet."""
    if step.needs == "inspect":
        return not state.images
    if step.name == "captions" and state.captions_elsewhere:
        return False
    return step.needs == "prepare" and not state.prepared.sizes


def _inspect(state: DatasetState) -> Progress:
    if not state.source:
        return Progress(False, ("choose the folder with your images",), begun=False)
    if state.problem or not state.images:
        return Progress(False, (state.problem or "put images into the folder",), begun=False)
    if state.not_inspected == len(state.images):
        return Progress(False, ("inspect the images",), begun=False)
    todo = []
    if state.not_inspected:
        todo.append(f"inspect {counted(state.not_inspected, 'new image')}")
    if state.suggested:
        todo.append(f"exclude {counted(state.suggested, 'image')}, or adjust the thresholds")
    if state.to_fix:
        needs = "image needs" if state.to_fix == 1 else "images need"
        todo.append(f"{state.to_fix} {needs} fixing in the next steps")
    return Progress(not (state.not_inspected or state.suggested), tuple(todo))


def _crop(state: DatasetState) -> Progress:
    if state.boxes_outdated and state.without_box:
        return Progress(False, ("check the crop boxes again: the size or the shape has changed",))
    if state.without_box == len(state.used):
        return Progress(False, ("check where the images will be cropped",), begun=False)
    if state.without_box:
        return Progress(False, (f"check the crop boxes of {counted(state.without_box, 'new image')}",))
    return Progress(True)


def _remove(state: DatasetState) -> Progress:
    todo = []
    if state.proposed:
        waits = "waits" if len(state.proposed) == 1 else "wait"
        todo.append(f"{counted(len(state.proposed), 'proposed removal')} {waits} for your review")
    if state.with_text:
        contain = "image contains" if state.with_text == 1 else "images contain"
        todo.append(f"{state.with_text} {contain} text")
    return Progress(bool(state.removed) and not todo, tuple(todo))


def _prepare(state: DatasetState) -> Progress:
    if not state.results:
        return Progress(False, ("prepare the images",), begun=False)
    todo = []
    if state.settings_changed:
        todo.append("prepare again: the settings have changed")
    if state.not_prepared:
        todo.append(f"prepare {counted(state.not_prepared, 'more image')}")
    if state.changed:
        todo.append(f"prepare {counted(state.changed, 'changed image')} again")
    if state.obsolete:
        todo.append(f"prepare again to remove {counted(len(state.obsolete), 'result')} of excluded images")
    return Progress(not todo, tuple(todo))


def _captions(state: DatasetState) -> Progress:
    todo = []
    if state.captions_missing:
        is_missing = "caption is" if state.captions_missing == 1 else "captions are"
        todo.append(f"{state.captions_missing} {is_missing} missing")
    if state.unsaved:
        is_unsaved = "caption is" if state.unsaved == 1 else "captions are"
        todo.append(f"{state.unsaved} {is_unsaved} not saved")
    return Progress(bool(state.prepared.sizes) and not todo, tuple(todo))


def _masks(state: DatasetState) -> Progress:
    return Progress(bool(state.masks))


STEPS = (
    Step(
        "inspect",
        "Inspect",
        "See which images are sharp, well exposed, large enough, and not near-duplicates; 30 to 70 good ones are best.",
        _inspect,
    ),
    Step(
        "crop",
        "Crop",
        "See where each image will be cropped to the training size, and move the crop boxes.",
        _crop,
        needs="inspect",
    ),
    Step("remove", "Remove", "", _remove, optional=True),
    Step(
        "prepare",
        "Prepare",
        "Write the images, cropped and scaled to the training size, into the prepared folder.",
        _prepare,
        needs="inspect",
    ),
    Step(
        "captions",
        "Captions",
        "Describe what each image shows, by a model or by hand, so that the embedding learns the rest.",
        _captions,
        needs="prepare",
    ),
    Step("masks", "Masks", "", _masks, optional=True),
)
