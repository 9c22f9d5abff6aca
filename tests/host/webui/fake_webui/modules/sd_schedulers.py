"""Names of noise schedules."""

from types import SimpleNamespace

schedulers = [SimpleNamespace(label="Automatic"), SimpleNamespace(label="Karras")]
