"""The WebUI's samplers by name, and the check of a request for an image."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti import prompt_syntax
from lib_ti.errors import BadInput
from lib_ti.host.embedded.sampling import steps
from lib_ti.host.embedded.sampling.levels import LcmLevels, Levels
from lib_ti.host.embedded.sampling.schedules import AUTOMATIC, EXPONENTIAL, KARRAS, SCHEDULES, UNIFORM
from lib_ti.host.model import ImageRequest
from lib_ti.host.request_checks import size_problems
from lib_ti.wording import quoted

_MAX_STEPS = 150


@dataclass(frozen=True)
class Sampler:
    """A sampler of the WebUI.

    Parameters
    ----------
    steps
        None for DDIM, which goes by timesteps and has no schedule types.
    automatic
        The schedule type that "Automatic" stands for.
    drops_last_but_one
        Whether the last noise level but one is left out (the WebUI's "discard next-to-last sigma").
    """

    steps: steps.Steps | None
    automatic: str = UNIFORM
    drops_last_but_one: bool = False
    levels: type[Levels] = Levels

    @property
    def schedules(self) -> tuple[str, ...]:
        return tuple(SCHEDULES) if self.steps else (UNIFORM,)


_SAMPLERS = {
    "DPM++ 2M": Sampler(steps.dpmpp_2m, KARRAS),
    "DPM++ SDE": Sampler(steps.dpmpp_sde, KARRAS),
    "DPM++ 2M SDE": Sampler(steps.dpmpp_2m_sde, EXPONENTIAL),
    "DPM++ 2M SDE Heun": Sampler(steps.dpmpp_2m_sde_heun, EXPONENTIAL),
    "DPM++ 2S a": Sampler(steps.dpmpp_2s_ancestral, KARRAS),
    "DPM++ 3M SDE": Sampler(steps.dpmpp_3m_sde, EXPONENTIAL, drops_last_but_one=True),
    "Euler a": Sampler(steps.euler_ancestral),
    "Euler": Sampler(steps.euler),
    "Heun": Sampler(steps.heun),
    "DPM2": Sampler(steps.dpm_2, KARRAS, drops_last_but_one=True),
    "DPM2 a": Sampler(steps.dpm_2_ancestral, KARRAS, drops_last_but_one=True),
    "LCM": Sampler(steps.lcm, levels=LcmLevels),
    "DDIM": Sampler(None),
}
SAMPLERS = (*_SAMPLERS, "DPM++ 2M Karras", "Euler Karras")


def check_request(request: ImageRequest) -> None:
    """Raise :class:`BadInput` with all problems of a request."""
    problems = size_problems(request)
    if not 1 <= request.steps <= _MAX_STEPS:
        problems.append(f"{request.steps} sampling steps are not possible; use 1 to {_MAX_STEPS}.")
    if not 0 <= request.seed < 2**32:
        problems.append(f"The seed {request.seed} is not between 0 and {2**32 - 1}.")
    problems += () if request.literal else prompt_syntax.problems(request.prompt)
    problems += prompt_syntax.problems(request.negative_prompt, negative=True)
    try:
        find_sampler(request.sampler, request.scheduler)
    except BadInput as error:
        problems += error.problems
    if problems:
        raise BadInput(problems)


def find_sampler(name: str, schedule: str) -> tuple[Sampler, str]:
    """Return the sampler and schedule type of two of the WebUI's names; their case does not matter.

    Raises
    ------
    BadInput
        When there is no such sampler, or it has no such schedule type.
    """
    # Up to 1.8 the WebUI had the schedule type in the sampler's name.
    for suffix in (KARRAS, EXPONENTIAL):
        if name.casefold().endswith(f" {suffix.casefold()}"):
            name, schedule = name[: -len(suffix) - 1], suffix
    samplers = {known.casefold(): known for known in _SAMPLERS}
    known = samplers.get(name.casefold())
    if known is None:
        raise BadInput(f"Sampler {quoted(name)} is not known; use one of {', '.join(SAMPLERS)}.")
    sampler = _SAMPLERS[known]
    schedules = {one.casefold(): one for one in sampler.schedules} | {AUTOMATIC.casefold(): sampler.automatic}
    if schedule.casefold() not in schedules:
        raise BadInput(
            f"Sampler {quoted(known)} has no scheduler {quoted(schedule)}; "
            f"use one of {AUTOMATIC}, {', '.join(sampler.schedules)}."
        )
    return sampler, schedules[schedule.casefold()]
