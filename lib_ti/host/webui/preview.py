"""Previews by the WebUI's own ``process_images``, so that they are the images that txt2img will generate.

That function is made for the user's own images: it may load another model, caches encoded prompts, counts jobs, uses
the global random states, and writes the prompt to ``params.txt``. None of it may affect the run around it or the user's
next image.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from modules import devices, processing, sd_hijack, sd_samplers, sd_schedulers, sd_unet, shared
from modules.textual_inversion import textual_inversion
from PIL import Image

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.model import ImageRequest
from lib_ti.host.request_checks import size_problems
from lib_ti.host.webui.base.random_state import preserved_random_state
from lib_ti.host.webui.loaded.prompts import WebUIPromptEncoder, as_plain_text
from lib_ti.host.webui.temporary.preserved import (
    GENERATE_ONLY,
    PinnedSettings,
    no_new_settings,
    no_prompt_history,
    preserved_job,
    switch_off_networks,
)
from lib_ti.wording import quoted

_CHECK_SECONDS = 0.1
"""Seconds between two checks whether a preview is still wanted."""


class _HijackWithDatabase:
    """The WebUI's hijack object with another database of embeddings."""

    def __init__(self, hijack: Any, embedding_db: Any) -> None:
        vars(self).update(_hijack=hijack, embedding_db=embedding_db)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hijack, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._hijack, name, value)


class PreviewGenerator:
    """Generates images with the session's model as it is now, and with the settings of the session's start."""

    def __init__(self, sd_model: Any, prompts: WebUIPromptEncoder) -> None:
        self._sd_model, self._prompts = sd_model, prompts
        self._pinned = PinnedSettings(sd_model.sd_checkpoint_info)
        database = sd_hijack.model_hijack.embedding_db
        self._embeddings, self._lookup = dict(database.word_embeddings), dict(database.ids_lookup)

    def check(self, request: ImageRequest) -> None:
        """Raise what :meth:`generate` would raise for a request."""
        _find(request.sampler, request.scheduler)
        _check(request)

    def generate(self, request: ImageRequest, embeddings: Sequence[Embedding], stop: Callable[[], bool]) -> Image.Image:
        """Generate one image; raises :class:`Stopped` after ``stop`` or any Interrupt in the WebUI."""
        sampler, scheduler = _find(request.sampler, request.scheduler)
        _check(request)
        options = self._pinned.overrides()
        state = shared.state
        try:
            with ExitStack() as undo:
                for change in (
                    preserved_random_state(),
                    preserved_job(),
                    no_prompt_history(),
                    no_new_settings(options),
                ):
                    undo.enter_context(change)
                undo.enter_context(self._with_embeddings(embeddings))
                undo.enter_context(_interrupted_by(stop))
                image = self._process(request, sampler, scheduler, options)
                stopped = state.interrupted or state.stopping_generation or state.skipped
        finally:
            switch_off_networks()
            sd_unet.apply_unet("None")
            shared.total_tqdm.clear()
            devices.torch_gc()
        if stopped or image is None:
            raise Stopped("The preview was interrupted.")
        state.assign_current_image(image)
        return image.convert("RGB")

    def _process(
        self,
        request: ImageRequest,
        sampler: str,
        scheduler: str,
        options: Mapping[str, Any],
    ) -> Image.Image | None:
        emphasis = options.get("emphasis", shared.opts.emphasis)
        p = processing.StableDiffusionProcessingTxt2Img(
            sd_model=self._sd_model,
            prompt=as_plain_text(request.prompt, emphasis) if request.literal else request.prompt,
            negative_prompt=request.negative_prompt,
            seed=request.seed,
            steps=request.steps,
            sampler_name=sampler,
            scheduler=scheduler,
            cfg_scale=request.cfg_scale,
            width=request.width,
            height=request.height,
            override_settings=dict(options),
            **GENERATE_ONLY,
        )
        p.cached_c, p.cached_uc = [None, None], [None, None]
        with closing(p):
            processed = processing.process_images(p)
        return processed.images[0] if processed.images else None

    @contextmanager
    def _with_embeddings(self, embeddings: Sequence[Embedding]) -> Iterator[None]:
        """Have prompts find these embeddings, and those of the WebUI's that existed when the session began.

        The WebUI's database is not changed: a refresh may empty it at any moment, also while a prompt is read.
        """
        ours = [self._prompts.as_host_embedding(embedding) for embedding in embeddings]
        database = textual_inversion.EmbeddingDatabase()
        database.word_embeddings = dict(self._embeddings)
        database.ids_lookup = {token: list(entries) for token, entries in self._lookup.items()}
        wrappers = [encoder.wrapper for encoder in self._prompts.encoders]
        for one in ours:
            database.register_embedding(one, self._sd_model)
            # A name that differs in case only has the same tokens, and the first in the list is taken.
            database.ids_lookup[wrappers[0].tokenize([one.name])[0][0]].sort(
                key=lambda entry: (-len(entry[0]), entry[1] not in ours)
            )
        hijacks = [wrapper.hijack for wrapper in wrappers]
        try:
            for wrapper, hijack in zip(wrappers, hijacks, strict=True):  # each encoder looks names up by itself
                wrapper.hijack = _HijackWithDatabase(hijack, database)
            yield
        finally:
            for wrapper, hijack in zip(wrappers, hijacks, strict=True):
                wrapper.hijack = hijack


@contextmanager
def _interrupted_by(stop: Callable[[], bool]) -> Iterator[None]:
    """Interrupt the WebUI within when ``stop`` returns True; samplers check nothing else between their steps."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_CHECK_SECONDS):
            if stop():
                shared.state.interrupted = True
                return

    watcher = threading.Thread(target=watch, name="textual-inversion-preview", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _find(name: str, schedule: str) -> tuple[str, str]:
    """Return the WebUI's own names of a sampler and a noise schedule; case does not matter.

    Up to 1.8 the schedule was part of the sampler's name, as in "DPM++ 2M Karras".
    """
    schedules = {
        known.casefold(): scheduler.label
        for scheduler in sd_schedulers.schedulers
        for known in (*(scheduler.aliases or ()), scheduler.name, scheduler.label)
    }
    samplers = sd_samplers.samplers_map
    sampler, label = samplers.get(name.lower()), schedules.get(schedule.casefold())
    if sampler is None:
        first, _, last = name.rpartition(" ")
        sampler, label = samplers.get(first.lower()), schedules.get(last.casefold())
        if sampler is None or label is None:
            names = ", ".join(sd_samplers.visible_sampler_names())
            raise BadInput(f"Sampler {quoted(name)} is not known here; use one of {names}.")
    if label is None:
        labels = ", ".join(scheduler.label for scheduler in sd_schedulers.schedulers)
        raise BadInput(f"Schedule type {quoted(schedule)} is not known here; use one of {labels}.")
    return sampler, label


def _check(request: ImageRequest) -> None:
    problems = size_problems(request)
    if request.steps < 1:
        problems.append(f"{request.steps} sampling steps are not possible; use at least 1.")
    if problems:
        raise BadInput(problems)
