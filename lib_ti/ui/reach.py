"""Which folders a page may name: all of them at home, some of them where others have the page."""

from __future__ import annotations

from collections.abc import Mapping

from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.paths import as_path, path_text, resolved
from lib_ti.wording import quoted


def check(host: Host, named: Mapping[str, str]) -> None:
    """Refuse paths outside the host's folders before anything looks at them.

    Parameters
    ----------
    named
        Paths by what they are, such as ``{"Dataset directory": "pictures"}``; empty ones are left to other checks.

    Raises
    ------
    BadInput
        One sentence for each, with the folders that are possible.
    """
    allowed = host.allowed_folders
    if allowed is None:
        return
    roots = [resolved(folder.expanduser()) for folder in allowed]
    problems = []
    for label, text in named.items():
        # Links and ".." are followed first, so that neither leads out.
        if path_text(text) and not any(resolved(as_path(text, label)).is_relative_to(root) for root in roots):
            problems.append(
                f"{label} {quoted(text)} is out of reach for this page: give a folder in {', '.join(map(str, roots))}."
            )
    if problems:
        raise BadInput(problems)
