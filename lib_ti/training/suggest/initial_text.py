"""Suggest an initialization text: words of a list, ranked by the model's own loss on the images of a dataset."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import cast

from lib_ti.config import SuggestConfig, problems
from lib_ti.data import latents
from lib_ti.data.dataset import Dataset, Item, Rules
from lib_ti.data.latents import Latents
from lib_ti.data.preparations import without_excluded
from lib_ti.data.scan import scan
from lib_ti.data.templates import Template, check_template, find_template
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.base import Folders, Host, Precision, SessionOptions
from lib_ti.paths import folder_problem, path_problem
from lib_ti.signals import Control, Listener, LogMessage, Progress
from lib_ti.training.stopping import stop_requested
from lib_ti.training.suggest import ranking
from lib_ti.training.suggest.candidates import SHIPPED, Candidates, collect, read_words
from lib_ti.training.suggest.suggestions import Suggestions, judge
from lib_ti.training.suggest.word_loss import WordLoss, word_samples

FEWEST_FOR_HALVES = 8
"""Images from which on the finalists are judged on other images than those that chose them."""
_ENCODED_AT_ONCE = 4


def suggest(host: Host, config: SuggestConfig, listen: Listener, control: Control) -> Suggestions:
    """Rank words by the loss with each in the place of the embedding; nothing is written but the cache of latents.

    Raises
    ------
    BadInput
        All problems of settings, template and list together; no image or no usable model.
    Stopped
        When ``control`` or the host's own Interrupt asks for it.
    """
    words, template = _read(host.folders, config)
    stop = partial(stop_requested, host.models, control)

    def progress(stage: str, done: int, total: int) -> None:
        listen(Progress(stage, done, total))
        if stop():
            raise Stopped("Suggesting a word was stopped; nothing was changed.")

    options = SessionOptions(
        cast("Precision", config.precision), report=lambda text: listen(LogMessage(text)), stop=stop
    )
    with host.models.session(options) as model:
        rules = Rules(model.info.size, model.info.size, validation_split=0.0, subfolders=config.subfolders)
        dataset = scan(Path(config.dataset), rules, progress=partial(progress, "Reading images"))
        dataset = without_excluded(dataset)
        captions = [item.caption for item in dataset.items]
        check_template(template, captions)
        candidates = collect(words, captions, lambda text: model.count_tokens(text, []))
        dataset, encoded = latents.encode(
            dataset,
            model,
            cache_folder=Path(config.log_directory) / ".latents" if config.cache_latents else None,
            batch_size=_ENCODED_AT_ONCE,
            progress=partial(progress, "Encoding images"),
            stop=stop,
        )
        for note in (*dataset.describe(), *dataset.notes, *candidates.notes):
            listen(LogMessage(note))
        total = ranking.passes(len(candidates.texts), len(candidates.controls))
        losses = WordLoss(model, partial(progress, "Comparing words", total=total))
        ranked = rank_words(losses, candidates, dataset, encoded, template, seed=config.seed)
        return judge(ranked, [model.count_tokens(word, []) for word in ranked.words])


def rank_words(
    losses: ranking.Losses,
    candidates: Candidates,
    dataset: Dataset,
    encoded: Latents,
    template: Template,
    *,
    seed: int,
) -> ranking.Ranking:
    """Rank candidates on a dataset's images, see :func:`lib_ti.training.suggest.ranking.rank`."""
    first, others = _halves(dataset)
    chosen, final = (
        word_samples(items, dataset, encoded, template.lines, count=count, seed=2 * seed + part)
        for part, (items, count) in enumerate(((first, ranking.SAMPLES), (others, ranking.FINAL_SAMPLES)))
    )
    return ranking.rank(losses, candidates.texts, chosen, final, controls=candidates.controls)


def _halves(dataset: Dataset) -> tuple[list[Item], list[Item]]:
    """Return the images that choose finalists and those that judge them, in an order that their names do not change."""
    items = sorted(dataset.items, key=lambda item: item.digest)
    return (items[::2], items[1::2]) if len(items) >= FEWEST_FOR_HALVES else (items, items)


def _read(folders: Folders, config: SuggestConfig) -> tuple[tuple[str, ...], Template]:
    """Return the words of the list and the template; raise :class:`BadInput` with all that is wrong without a model."""
    found = problems(config)
    if config.dataset and not path_problem(config.dataset) and (wrong := folder_problem(Path(config.dataset))):
        found.append(f"Dataset directory {wrong}")
    words: tuple[str, ...] = ()
    template = None
    try:
        words = read_words(Path(config.words) if config.words else SHIPPED)
    except BadInput as error:
        found += error.problems
    try:
        template = find_template(config.template, folders.templates) if config.template.strip() else None
    except BadInput as error:
        found += error.problems
    if found or template is None:
        raise BadInput(found)
    return words, template
