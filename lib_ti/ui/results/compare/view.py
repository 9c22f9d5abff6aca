"""The comparison of two runs as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib_ti.ui.html.fragments import escape, hint, step_name
from lib_ti.ui.html.viewer import viewed
from lib_ti.ui.results.state import Preview

GROUP = "comparison"
_SIZE = 512


def pair(
    titles: tuple[str, str], differing: Mapping[str, tuple[str, str]], previews: Sequence[tuple[Preview, Preview]]
) -> str:
    """What two runs reached, where their settings differ, and their previews of equal prompt and seed."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(one)}</td><td>{escape(other)}</td></tr>"
        for name, (one, other) in differing.items()
    )
    head = f"<tr><td></td><th>{escape(titles[0])}</th><th>{escape(titles[1])}</th></tr>"
    shown = f'<table class="ti-table ti-compared">{head}{rows}</table>'
    if not previews:
        return shown + hint("They have no previews of the same prompt, seed and size: generate images below.")
    images = "".join(_image(preview, title) for both in previews for preview, title in zip(both, titles, strict=True))
    return f'{shown}<div class="ti-side-by-side">{images}</div>'


def _image(preview: Preview, title: str) -> str:
    detail = f"{preview.prompt} (seed {preview.seed})"
    return viewed(preview.path, f"{title}, {step_name(preview.step)}", group=GROUP, detail=detail, size=_SIZE)
