"""What is chosen in a run: one step, with its images and its checkpoint, whichever way it was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_ti.placeholders import with_name
from lib_ti.ui.results.state import Preview, RunResults


@dataclass(frozen=True)
class Selection:
    """A step of a run. Images or checkpoint are those of the nearest step that has some, where it has none."""

    step: int
    images: tuple[Preview, ...] = ()
    """All of one step; empty where the run has none."""
    checkpoint: str = ""
    """Step or mark, as in the list of checkpoints; empty where the run has none."""
    checkpoint_step: int | None = None
    number: int = 1
    """Of the prompt whose image was chosen."""

    @property
    def image(self) -> Preview | None:
        """The image of the chosen prompt, else the first."""
        return next((one for one in self.images if one.number == self.number), next(iter(self.images), None))


class Selectable:
    """The steps of a run that can be chosen.

    Parameters
    ----------
    previews
        All images, in the order of their steps.
    checkpoints
        Steps of the checkpoints by their entry in the list, the best one first.
    """

    def __init__(self, previews: Sequence[Preview], checkpoints: Mapping[str, int]) -> None:
        self.previews, self.checkpoints = tuple(previews), dict(checkpoints)
        self.steps: list[int] = sorted({*(one.step for one in previews), *checkpoints.values()})

    def at_step(self, step: float, checkpoint: str = "", number: int = 1) -> Selection:
        """Choose the step nearest to ``step``; of several checkpoints there, the one that was chosen before."""
        if not self.steps:
            return Selection(round(step), number=number)
        nearest = _nearest(self.steps, step)
        if checkpoint not in self.checkpoints or self.checkpoints[checkpoint] != nearest:
            checkpoint = self._checkpoint_near(nearest)
        chosen = self.checkpoints.get(checkpoint)
        return Selection(nearest, self._images_near(nearest), checkpoint, chosen, number)

    def at_checkpoint(self, checkpoint: str, number: int = 1) -> Selection | None:
        """Choose a checkpoint, with the images of its step; None where there is no such checkpoint."""
        step = self.checkpoints.get(checkpoint)
        return None if step is None else self.at_step(step, checkpoint, number)

    def first_choice(self) -> Selection:
        """Choose the best checkpoint, else the last step."""
        best = next(iter(self.checkpoints), "")
        return self.at_checkpoint(best) or self.at_step(self.steps[-1] if self.steps else 0)

    def _images_near(self, step: int) -> tuple[Preview, ...]:
        if not self.previews:
            return ()
        near = _nearest((one.step for one in self.previews), step)
        return tuple(one for one in self.previews if one.step == near)

    def _checkpoint_near(self, step: int) -> str:
        """The nearest one; of several at one step a numbered one, which keeps its name."""
        if not self.checkpoints:
            return ""
        near = _nearest(self.checkpoints.values(), step)
        there = [key for key, at in self.checkpoints.items() if at == near]
        return next((key for key in there if key.isdigit()), there[0])


def selectable(run: RunResults) -> Selectable:
    """Return the steps of a run, as its folder is now."""
    return Selectable(run.previews(), run.checkpoint_steps())


def txt2img_values(run: RunResults, selection: Selection) -> dict[str, Any]:
    """Return parameters of the chosen image for txt2img, by the keys of its components; the name without an image."""
    negative = str(run.settings_file().get("settings", {}).get("preview_negative", ""))
    plain = {"prompt": run.name, "negative_prompt": with_name(negative, run.name), "seed": -1}
    return plain | dict(selection.image.parameters if selection.image else {})


def _nearest(steps: Iterable[int], step: float) -> int:
    """The later one of two that are equally near: it has learned more."""
    return min(sorted(steps, reverse=True), key=lambda one: abs(one - step))
