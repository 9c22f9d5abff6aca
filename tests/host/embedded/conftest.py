"""The checkpoints of all families."""

from __future__ import annotations

import pytest

from lib_ti.host.embedded.host import EmbeddedHost
from tests.checkpoints import KINDS, small_networks, write_checkpoint
from tests.host.embedded.family_case import Case


@pytest.fixture(scope="module", params=KINDS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    family, prediction = KINDS[request.param]
    path = write_checkpoint(tmp_path_factory.mktemp("models"), request.param)
    host = EmbeddedHost(path, embeddings_folder=path.parent, device="cpu")
    return Case(family, prediction, path, small_networks(family), host)
