"""The host that is AUTOMATIC1111's WebUI: its loaded model, its folders, its queue, its progress and its Interrupt.

Only this module and its siblings ``webui_*`` import the WebUI's ``modules``. What is imported here exists in the forks
too, so that the tab can say there why it does not train; the siblings are imported when a model is borrowed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modules import sd_models, shared

from lib_ti.errors import BadInput
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.families.sd1 import MODEL as SD1_MODEL
from lib_ti.host import webui_settings, webui_turn
from lib_ti.host.base import InitialVectors, SessionOptions
from lib_ti.host.model import Model
from lib_ti.host.tools import Captioner, Inpainter, Report, Upscaler
from lib_ti.signals import Event, PreviewStarted, RunStarted, StepDone
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.host.webui_model import WebUIModel

ELSEWHERE = "Interrupt, Skip or Stop elsewhere in the WebUI (another tab, a script or the API)"
_TXT2IMG = {
    "txt2img_prompt": "prompt",
    "txt2img_neg_prompt": "negative_prompt",
    "txt2img_steps": "steps",
    "txt2img_sampling": "sampler",
    "txt2img_scheduler": "scheduler",
    "txt2img_cfg_scale": "cfg_scale",
    "txt2img_seed": "seed",
    "txt2img_width": "width",
    "txt2img_height": "height",
}
"""The fields of the txt2img tab by their elements' ids."""
_RELOAD_SECONDS = 0.5
"""Time that Reload UI takes at most from its interrupt to closing the page's server."""


class WebUIHost:
    """The WebUI's model, tools and folders."""

    def __init__(self) -> None:
        self.models, self.tools, self.folders = WebUIModels(), WebUITools(), WebUIFolders()


class WebUIFolders:
    """The WebUI's folders; see :class:`lib_ti.host.base.Folders`."""

    @property
    def arguments(self) -> Mapping[str, str]:
        return {
            "embeddings_dir": str(self.embeddings.absolute()),
            "templates_dir": str(self.templates[0].absolute()),
        }

    @property
    def embeddings(self) -> Path:
        return Path(shared.cmd_opts.embeddings_dir)

    @property
    def templates(self) -> Sequence[Path]:
        return (Path(shared.cmd_opts.textual_inversion_templates_dir),)

    @property
    def allowed(self) -> Sequence[Path] | None:
        return webui_settings.allowed_folders()


class WebUIModels:
    """The model that the WebUI has loaded; see :class:`lib_ti.host.base.ModelHost` for what its methods promise.

    Its methods may be called from any thread, but :meth:`session` never with the WebUI's queue lock held.
    """

    def __init__(self) -> None:
        self._first_step = 0

    @property
    def arguments(self) -> Mapping[str, str]:
        """The loaded checkpoint by its title in the WebUI's list."""
        return {"checkpoint": _loaded_title()}

    @property
    def size(self) -> int:
        """That of the loaded model; of Stable Diffusion 1 until there is one."""
        latent_side = getattr(sd_models.model_data.sd_model, "image_size", None) or SD1_MODEL.size // VAE_SCALE_FACTOR
        return int(latent_side) * VAE_SCALE_FACTOR

    @contextmanager
    def session(self, options: SessionOptions) -> Iterator[Model]:
        """Acquire the loaded model while nothing else in the WebUI uses it.

        Raises
        ------
        BadInput
            When this program is a fork that works in another way, or the model cannot be trained on.
        """
        _refuse_forks()
        from lib_ti.host import webui_borrow

        with webui_turn.turn(options.report, options.stop, wait=options.wait), webui_borrow.borrow(options) as model:
            lent: WebUIModel = model
            yield lent

    def initial_vectors(self, text: str, count: int) -> InitialVectors:
        """By the loaded model, which is not waited for."""
        with self.session(SessionOptions(wait=False)) as model:
            return InitialVectors(model.initial_vectors(text, count), model.info.name, model.info.hash)

    def watch(self, event: Event) -> None:
        """Show the run where the WebUI shows its jobs.

        All of it is set at each step, since other parts of the WebUI begin jobs of theirs without waiting for the
        queue. The counts are those of this run, so that the time left is right for a run that goes on, too.
        """
        state = shared.state
        if isinstance(event, PreviewStarted):
            state.textinfo = f"Textual Inversion: generating a preview at step {event.step}"
        if not isinstance(event, RunStarted | StepDone):
            return
        if isinstance(event, RunStarted):
            self._first_step = event.first_step
            state.time_start = time.time()
        else:
            state.job_no = event.step - self._first_step
            # A line break would keep the WebUI's page from showing it.
            state.textinfo = f"Textual Inversion: step {event.step} of {event.max_steps}, loss {event.smoothed:.4f}"
        state.job = webui_turn.JOB
        state.job_count = max(1, event.max_steps - self._first_step)

    def interrupted(self) -> str:
        """Named after Interrupt, Skip or Stop anywhere in the WebUI; not after Reload UI, which presses it as well."""
        state = shared.state
        if not (state.interrupted or state.stopping_generation or state.skipped):
            return ""
        if _reloading():
            state.interrupted = False
            return ""
        return ELSEWHERE

    def embedding_saved(self, path: Path) -> str:
        from lib_ti.host import webui_embeddings

        return webui_embeddings.load(path)


class WebUITools:
    """The WebUI's captioners, upscalers and inpainting; see :class:`lib_ti.host.tools.Tools`."""

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """By the vocabulary that comes along: the WebUI's tokenizer is there only while a model is loaded."""
        from lib_ti.host.text import token_spans

        return token_spans(text)

    @property
    def captioners(self) -> Sequence[str]:
        """None in the forks, which run their captioners in another way."""
        if _is_fork():
            return ()
        from lib_ti.host import webui_captioners

        return webui_captioners.NAMES

    @contextmanager
    def captioner(self, name: str, report: Report) -> Iterator[Captioner]:
        if _is_fork():
            raise BadInput(
                f"There is no captioner {quoted(name)} in Forge and reForge; use the command line for captions."
            )
        from lib_ti.host import webui_captioners

        with webui_turn.turn(report), webui_captioners.captioner(name, report) as lent:
            yield lent

    @property
    def upscalers(self) -> Sequence[str]:
        from lib_ti.host import webui_tools

        return webui_tools.upscalers()

    @contextmanager
    def upscaler(self, name: str, report: Report) -> Iterator[Upscaler]:
        from lib_ti.host import webui_tools

        with webui_turn.turn(report), webui_tools.upscaler(name, report) as lent:
            yield lent

    @property
    def can_inpaint(self) -> bool:
        return not _is_fork() and not _is_old()

    @contextmanager
    def inpainter(self, report: Report) -> Iterator[Inpainter]:
        if not self.can_inpaint:
            raise BadInput("Filling by the model works in AUTOMATIC1111's WebUI from 1.9 on; choose a plain fill.")
        from lib_ti.host import webui_inpainting

        with webui_turn.turn(report), webui_inpainting.inpainter(report) as lent:
            yield lent


def surroundings() -> dict[str, Any]:
    """What the tab takes over from the WebUI around it: arguments of :func:`lib_ti.ui.tab.build`."""
    return {
        "txt2img": _txt2img_fields(),
        "defaults": webui_settings.defaults(),
        **_preview_choices(),
    }


def _txt2img_fields() -> dict[str, Any]:
    """Components of the txt2img tab by the names that the tab knows them by; as many as there are."""
    from modules import infotext_utils

    fields = infotext_utils.paste_fields.get("txt2img", {}).get("fields") or ()
    found = {getattr(component, "elem_id", None): component for component, *_ in fields}
    return {name: found[elem_id] for elem_id, name in _TXT2IMG.items() if elem_id in found}


def _preview_choices() -> dict[str, tuple[str, ...]]:
    """Names for the previews' fields, as txt2img lists them; none in the forks."""
    try:
        from modules import sd_samplers, sd_schedulers
    except ImportError:
        return {}
    return {
        "samplers": tuple(sd_samplers.visible_sampler_names()),
        "schedulers": tuple(scheduler.label for scheduler in sd_schedulers.schedulers),
    }


def _is_fork() -> bool:
    return "modules_forge" in sys.modules or find_spec("modules_forge") is not None


def _is_old() -> bool:
    return find_spec("modules.sd_schedulers") is None


def _refuse_forks() -> None:
    if _is_fork():
        raise BadInput(
            "This is Forge or reForge, whose models cannot be trained through; train with the command line "
            "(python -m lib_ti), or in AUTOMATIC1111's WebUI."
        )
    if _is_old():
        raise BadInput("This WebUI is older than 1.9; update it, then train.")


def _loaded_title() -> str:
    sd_model = sd_models.model_data.sd_model
    checkpoint = getattr(sd_model, "sd_checkpoint_info", None)
    return str(checkpoint.title if checkpoint else shared.opts.data.get("sd_model_checkpoint") or "")


def _reloading() -> bool:
    """True when the interrupt came from Reload UI, which closes the server of the page right after it."""
    until = time.monotonic() + _RELOAD_SECONDS
    while time.monotonic() < until:
        if shared.state.server_command == "restart" or _closing(shared.demo):
            return True
        time.sleep(0.02)
    return False


def _closing(page: Any) -> bool:
    server = getattr(page, "server", None)
    return page is not None and (not getattr(page, "is_running", True) or bool(getattr(server, "should_exit", False)))
