"""Requests to stop a run, be they the user's or the host's."""

from __future__ import annotations

from lib_ti.host.base import ModelHost
from lib_ti.signals import Control


def stop_requested(host: ModelHost, control: Control) -> bool:
    """Return whether the run is to end; the host's own Interrupt becomes a request like the others."""
    if interrupted := host.interrupted():
        control.stop(interrupted)
    return control.stop_requested
