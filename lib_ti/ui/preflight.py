"""The tab's Check: that of the run, and what only this page knows."""

from __future__ import annotations

from lib_ti.config import TrainConfig
from lib_ti.host.base import Host
from lib_ti.training.check import check_run
from lib_ti.training.checks.findings import Finding, worst_first
from lib_ti.ui.dataset.captions.state import unsaved
from lib_ti.ui.html.fragments import Kind


def check(host: Host, config: TrainConfig) -> list[tuple[Kind, str]]:
    """Return everything that speaks for or against a run with these settings, the worst first."""
    said = unsaved(config.dataset)
    found = [*([Finding("warning", said)] if said else []), *check_run(host, config)]
    return [(finding.kind, finding.text) for finding in worst_first(found)]
