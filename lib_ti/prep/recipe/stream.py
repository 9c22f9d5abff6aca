"""Make and write the results of source images in threads, a few at a time, so that memory use stays flat."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from lib_ti.data.folder import Skipped
from lib_ti.data.images.decode import UnreadableImage
from lib_ti.errors import out_of_memory
from lib_ti.ordered_map import ordered_map
from lib_ti.prep.manifest import Result
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe import write_results
from lib_ti.prep.recipe.make import RenderTools, make_all, pixels_to_open, size_to_open
from lib_ti.prep.recipe.pixel_budget import MOST_PIXELS, PixelBudget
from lib_ti.prep.recipe.plan import PlannedResult
from lib_ti.prep.remove.patches import load_patch
from lib_ti.prep.sources import open_layered


@dataclass
class SourceOutcome:
    """Results of one source image, notes about them, and why it could not be used, if so."""

    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: Skipped | None = None


def group_by_source(planned: Sequence[PlannedResult]) -> list[list[PlannedResult]]:
    """Group the results that come from one image, in their order."""
    return [list(group) for _, group in itertools.groupby(planned, key=lambda one: one.spec.item.digest)]


def make_sources(
    folder: PreparedFolder,
    sources: Sequence[Sequence[PlannedResult]],
    tools: RenderTools,
    *,
    workers: int,
    stop: Callable[[], bool],
) -> Generator[SourceOutcome, None, None]:
    """Make and write the results of each source; yield the outcomes in the order of the sources.

    ``stop`` is asked between images. Once it returns true, no further image is started, and the outcomes of those that
    were started are the last.

    Parameters
    ----------
    workers
        Number of images processed at once; 0 for as many as there are CPU cores.

    Raises
    ------
    CannotWrite
        When the folder or the disk does not accept a result.
    """
    budget = PixelBudget(MOST_PIXELS)
    return ordered_map(
        lambda source: _make_source(folder, source, tools, budget), sources, workers=workers, stop=stop, name="prepare"
    )


def _make_source(
    folder: PreparedFolder, source: Sequence[PlannedResult], tools: RenderTools, budget: PixelBudget
) -> SourceOutcome:
    item, outcome = source[0].spec.item, SourceOutcome()
    try:
        with budget.taken(pixels_to_open([one.spec for one in source])):
            _make_results(folder, source, tools, outcome)
    except UnreadableImage as error:
        about = "" if error.path == item.path else f"{error.path} cannot be used: "
        outcome.failed = Skipped(item.path, f"{about}{error.reason}", item.name)
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        reason = "there is not enough memory for it; make it smaller, or use Lanczos"
        outcome.failed = Skipped(item.path, reason, item.name)
    return outcome


def _make_results(
    folder: PreparedFolder, source: Sequence[PlannedResult], tools: RenderTools, outcome: SourceOutcome
) -> None:
    """Make all results of one source; in a function of its own, so that its images are freed with its budget."""
    specs = [one.spec for one in source]
    patches = [load_patch(folder, region) for region in specs[0].edits.removed_regions]
    layered = open_layered(specs[0].item, cover=size_to_open(specs))
    for planned, rendered in zip(source, make_all(layered, specs, patches, tools), strict=True):
        outcome.results.append(write_results.write(folder, planned, rendered, outcome.notes.append))
