"""A Make it as HTML: its phases, its run, and its result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.background.tasks import TaskStatus
from lib_ti.lazy import lazy
from lib_ti.placeholders import with_name
from lib_ti.ui.html.fragments import bar, escape, hint, notice
from lib_ti.ui.html.viewer import viewed

if TYPE_CHECKING:
    from lib_ti.make_it import snapshot
    from lib_ti.make_it.snapshot import MakeSnapshot, PhaseSnapshot
    from lib_ti.make_it.state import MakeState
    from lib_ti.ui.train import view as train_view
else:
    snapshot, train_view = lazy("lib_ti.make_it.snapshot"), lazy("lib_ti.ui.train.view")

FIRST_SIGHT = (
    "Make a keyword for your prompts from images of a style or of one thing: 30 to 70 are best, 10 are enough to try.",
    "Drop them here, name the keyword, and press Make it. The other tabs do the same step by step.",
)
SHEET_SIZE = 1200
_MARKS = {"open": "○", "active": "▸", "done": "✓"}


def status(now: TaskStatus, seconds: float) -> str:
    """The phases with what came out of each. The page's script refreshes it every ``seconds`` while it is active."""
    active = "yes" if now.active else "no"
    return (
        f'<div class="ti-status" data-active="{active}" data-seconds="{seconds:g}" data-refresh="ti_make_refresh">'
        f"{_shown(now)}</div>"
    )


def unfinished(state: MakeState) -> str:
    """A Make it that the end of the program interrupted."""
    now = snapshot.of_state(state)
    title = next((one.title for one in now.phases if one.state != "done"), "")
    said = f"{now.keyword} is not finished; the next step is “{title}”. Press Make it to continue."
    return notice("info", [said]) + _phases(now)


def run(now: MakeSnapshot) -> str:
    """Loss curve and previews of the run."""
    return train_view.curve(now.run) + train_view.previews(now.run) if now.run else ""


def run_key(now: MakeSnapshot) -> str:
    """A key that changes with the previews, and every few steps with the curve."""
    return f"{train_view.previews_key(now.run)} {now.run.step // 5}" if now.run else ""


def result(now: MakeSnapshot) -> str:
    """The same prompts before and after, and the verdict."""
    facts: Any = now.facts
    if not now.finished:
        return ""
    if facts.get("learned", True):
        shown = notice("good", facts.get("verdict", ()), title=f"{now.keyword} is ready: write it in a prompt")
    else:
        title = f"{now.keyword} is trained, but has not learned the images yet: press Train some more"
        shown = notice("warning", facts.get("verdict", ()), title=title)
    if not facts.get("sheet"):
        return shown
    prompts = [with_name(prompt, now.keyword) for prompt in facts.get("prompts", ())]
    detail = f"{' | '.join(prompts)} (seeds from {facts.get('seed')})"
    caption = "The same prompts and seeds, before and after"
    return shown + viewed(
        Path(facts["sheet"]), caption, group="made", detail=detail, size=SHEET_SIZE, classes="ti-large"
    )


def _shown(now: TaskStatus) -> str:
    making: MakeSnapshot | None = now.detail
    if making is None:
        return hint("Nothing is being made. Each step is shown here, with what it did.")
    ending = ""
    if now.state in ("failed", "asking"):
        ending = notice("error", now.errors, title=f"Making {making.keyword} ended with an error")
        ending += hint("What is done is kept: press Make it again to continue.")
    elif now.state == "stopped":
        ending = notice("info", [now.message])
    elif now.state == "stopping":
        ending = hint("Stopping …")
    return ending + _phases(making, now)


def _phases(making: MakeSnapshot, now: TaskStatus | None = None) -> str:
    items = "".join(_phase(one, making, active=bool(now and now.active)) for one in making.phases)
    return f'<ol class="ti-phases">{items}</ol>'


def _phase(phase: PhaseSnapshot, making: MakeSnapshot, *, active: bool) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for sentence in phase.sentences for line in sentence.splitlines())
    if phase.state == "active" and active:
        lines = _progress(making)
    return (
        f'<li class="ti-phase ti-{phase.state}"><span class="ti-mark" role="img" aria-label="{phase.state}">'
        f"{_MARKS[phase.state]}</span><div><b>{escape(phase.title)}</b>{lines}</div></li>"
    )


def _progress(making: MakeSnapshot) -> str:
    run = making.run
    if run and run.state == "training":
        share = (run.step - run.first_step) / max(1, run.max_steps - run.first_step)
        said = f"Step {run.step} of {run.max_steps}"
        return bar(share, said) + (hint(run.headline) if run.headline else "")
    label = f"{making.stage}: {making.done} of {making.total}" if making.total else "Working"
    return bar(making.done / max(1, making.total), label) + (hint(making.message) if making.message else "")
