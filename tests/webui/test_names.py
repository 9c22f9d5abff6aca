"""What the stand-in of the unit tests has is as a genuine WebUI has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webui.instance import Instance, running

FAKE = Path(__file__).parents[1] / "host" / "webui" / "fake_webui" / "modules"
OWN = {"Queue"}
"""Classes that the stand-in calls otherwise; what they are there for is looked at by itself."""


def functions() -> dict[str, list[str]]:
    """Parameters of all functions and methods of the stand-in by their dotted names, ``self`` and all."""
    found = {}
    for path in FAKE.rglob("*.py"):
        module = ".".join(path.relative_to(FAKE.parent).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            of_class = isinstance(node, ast.ClassDef) and node.name not in OWN
            for part in node.body if of_class else [node]:
                if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                    name = f"{node.name}.{part.name}" if of_class else part.name
                    found[f"{module}.{name}"] = [argument.arg for argument in part.args.args]
    return found


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running(tmp_path_factory.mktemp("webui")) as instance:
        yield instance


def test_functions_take_the_same(webui: Instance) -> None:
    wanted = functions()
    assert "modules.textual_inversion.textual_inversion.EmbeddingDatabase.load_from_file" in wanted
    assert webui.call("parameters", names=list(wanted)) == wanted
    lock = "modules.call_queue.queue_lock"
    assert webui.call("parameters", names=[f"{lock}.acquire", f"{lock}.release"]) == {
        f"{lock}.acquire": ["blocking"],
        f"{lock}.release": [],
    }


def test_values_are_there(webui: Instance) -> None:
    places = {
        "shared.state": "job job_no job_count sampling_step sampling_steps textinfo current_image current_latent "
        "server_command time_start skipped interrupted stopping_generation",
        "shared.opts": "data ti_log_directory ti_file_format ti_seconds ti_folders CLIP_stop_at_last_layers",
        "shared.cmd_opts": "embeddings_dir textual_inversion_templates_dir hide_ui_dir_config",
        "shared.demo": "is_running",
        "sd_models.model_data": "sd_model",
        "sd_hijack.model_hijack": "embedding_db",
        "sd_schedulers": "schedulers",
        "sd_vae": "loaded_vae_file",
        "paths_internal": "data_path",
    }
    names = [f"modules.{place}.{name}" for place, listed in places.items() for name in listed.split()]
    assert webui.call("missing", names=names) == []
    assert set(webui.call("txt2img_fields")) == set(
        "prompt negative_prompt steps sampler scheduler cfg_scale seed width height".split()
    )
