"""SD1, SD2 and SDXL in a genuine WebUI: its own conditioning, gradients, previews, files; and all is put back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.model import Conditions, Framing, ImageRequest
from lib_ti.pocket.sample_set import sample_set
from tests.checkpoints import KINDS, SIZE
from tests.webui.families import Families, checkpoint_of, running_with_families
from tests.webui.runs import JOB, of_kind

NAME = "zqtest-run"
FIXED = ImageRequest("a big red circle, blue background", steps=4, seed=7, width=64, height=64)
WITH_IT = replace(FIXED, prompt=f"a circle, art by {NAME}")
IT = "a big red circle by zqtest-same"
LONG = "fate (series), [old:2], BREAK" + ", word" * 160
PROMPTS = [IT, "a circle" + ", word" * 60, ""]
FRAMINGS = [[[640, 480], [0, 12], [64, 64]], [[64, 64], [0, 0], [64, 64]], [[3000, 4000], [7, 0], [64, 64]]]
"""Original (width, height), (left, top) of the crop, and what the model sees."""
WIDTHS = {"sd1": {"clip_l": 32}, "sd2": {"clip_l": 48}, "sdxl": {"clip_l": 32, "clip_g": 48}}
"""Of the small checkpoints; that width is not known for SD2's encoder, so it counts for SD1's."""
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"CLIP_stop_at_last_layers": 2},
    {"CLIP_stop_at_last_layers": 2, "sdxl_clip_l_skip": True},
    {"sdxl_clip_l_skip": True},
    {"emphasis": "None"},
)
DEFAULTS = {"CLIP_stop_at_last_layers": 1, "sdxl_clip_l_skip": False, "emphasis": "Original"}


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Families]:
    with running_with_families(tmp_path_factory.mktemp("webui")) as running:
        yield running


@pytest.fixture(params=list(KINDS), scope="module")
def kind(request: pytest.FixtureRequest, families: Families) -> str:
    families.load(request.param)
    return str(request.param)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    sample_set(folder, "striped", count=8)
    return folder


@pytest.fixture
def settings(families: Families, kind: str, images: Path, tmp_path: Path) -> dict[str, Any]:
    """Settings of a short run of a new embedding for the loaded model."""
    families.webui.call("create", name=NAME, text="striped circle", vectors=3, overwrite=True)
    return {
        "name": NAME,
        "dataset": str(images),
        "max_steps": 6,
        "batch_size": 2,
        "width": 64,
        "height": 64,
        "save_image_every": 0,
        "evaluate_every": 0,
        "save_embedding_every": 0,
        "preview_prompt": "a circle, art by [name]",
        "preview_steps": 4,
        "preview_seed": 7,
        "log_directory": str(tmp_path / "runs"),
    }


def inputs() -> dict[str, Any]:
    sample = torch.Generator().manual_seed(2)
    latents = torch.randn(3, 4, 8, 8, generator=sample)
    return {"prompts": PROMPTS, "latents": latents.tolist(), "timesteps": [5, 500, 950], "framings": FRAMINGS}


# The model


def test_family_prediction_and_size_are_recognised(families: Families, kind: str) -> None:
    family, prediction = KINDS[kind]
    found = families("info")
    assert (found["family"], found["prediction"]) == (family.key, prediction)
    assert (found["size"], found["before"]) == (SIZE, SIZE)
    assert found["widths"] == WIDTHS[family.key]
    schedule = found["alphas_cumprod"]
    assert len(schedule) == 1000
    assert schedule[::999] == pytest.approx([0.99915, 0.00466], rel=1e-3)


@pytest.mark.parametrize("changed", SETTINGS, ids=str)
def test_conditioning_is_bit_equal_to_the_webui_s(families: Families, kind: str, changed: dict[str, Any]) -> None:
    if not changed.keys() <= families.webui.get("options").keys():
        pytest.skip("this WebUI has no such setting")
    families.webui.post("options", changed)
    try:
        for prompts, contexts in (
            ([IT], 1),
            ([IT, "a circle", ""], 1),
            ([LONG], 3),
            ([IT, LONG, "", f"{LONG}{IT}"], 3),
        ):
            found = families("same_conditioning", prompts=prompts, size=[64, 96])
            assert found["contexts"] >= contexts
            assert set(found["difference"]) == ({"crossattn", "vector"} if "sdxl" in kind else {"crossattn"})
            # The WebUI encodes one context after the other, and larger batches are rounded in another way.
            assert max(found["difference"].values()) <= (0 if contexts == 1 else 2e-6)
    finally:
        families.webui.post("options", {name: DEFAULTS[name] for name in changed})


def test_the_gradient_reaches_the_vectors_of_each_encoder_and_nothing_else(families: Families, kind: str) -> None:
    plain, *saving = (
        families("compute", **inputs(), checkpointing=blocks) for blocks in ("off", "transformer-blocks", "all-blocks")
    )
    for found in (plain, *saving):
        assert found["others"] == 0
        assert found["gradients"].keys() == WIDTHS[KINDS[kind][0].key].keys()
        for gradient in found["gradients"].values():
            rows = torch.tensor(gradient).norm(dim=1)
            assert rows.isfinite().all()
            assert rows.min() > 0
    for found in saving:
        assert found["loss"] == plain["loss"]
        for key, gradient in plain["gradients"].items():
            same = torch.tensor(gradient)
            torch.testing.assert_close(torch.tensor(found["gradients"][key]), same, rtol=1e-4, atol=1e-8)


def test_both_hosts_compute_the_same(families: Families, kind: str, tmp_path: Path) -> None:
    given = inputs()
    host = EmbeddedHost(checkpoint_of(families.webui, kind), embeddings_folder=tmp_path)
    with host.models.session(SessionOptions(precision="float32")) as model:
        sample = torch.Generator().manual_seed(5)
        vectors = {key: torch.randn(3, width, generator=sample) * 0.05 for key, width in model.info.widths.items()}
        embedding = Embedding("zqtest-same", {key: one.requires_grad_() for key, one in vectors.items()})
        framings = [Framing(*(tuple(pair) for pair in one)) for one in FRAMINGS]
        conditioning = model.encode_prompts(Conditions(PROMPTS, framings), [embedding])
        predicted = model.predict(torch.tensor(given["latents"]), torch.tensor(given["timesteps"]), conditioning)
        loss = predicted.square().mean()
        loss.backward()
        encoded = model.encode_images(torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64))
        theirs = families("compute", **given)
        assert theirs["loss"] == pytest.approx(loss.item(), rel=1e-5)
        initial = model.initial_vectors("a big red circle", 6)
        for name, ours in {
            "crossattn": conditioning.crossattn,
            "predicted": predicted,
            "mean": encoded.mean,
            "std": encoded.std,
            **({"pooled": conditioning.pooled} if conditioning.pooled is not None else {}),
        }.items():
            torch.testing.assert_close(torch.tensor(theirs[name]), ours, rtol=1e-4, atol=1e-5, msg=name)
        for key, leaf in embedding.vectors.items():
            assert leaf.grad is not None
            gradient = torch.tensor(theirs["gradients"][key])
            assert (gradient - leaf.grad).norm() <= 1e-5 * leaf.grad.norm()
            torch.testing.assert_close(gradient, leaf.grad, rtol=0, atol=1e-5)
            assert torch.equal(torch.tensor(theirs["initial"][key]), initial[key])
        assert theirs["tokens"] == [model.count_tokens(prompt, [embedding]) for prompt in PROMPTS]
        assert families("info")["alphas_cumprod"] == model.alphas_cumprod.tolist()


def test_both_hosts_generate_the_same_image(families: Families, kind: str, tmp_path: Path) -> None:
    host = EmbeddedHost(checkpoint_of(families.webui, kind), embeddings_folder=tmp_path)
    with host.models.session(SessionOptions(precision="float32")) as model:
        for request in (FIXED, replace(FIXED, negative_prompt="a (blue:1.3) square", sampler="DPM++ 2M", seed=1)):
            ours = np.asarray(model.generate(request, [])).astype(np.int16)
            # The WebUI rounds the schedule of a file in half precision.
            assert np.abs(families.webui.draw(request) - ours).max() <= 1


def test_sizes_and_crop_condition_sdxl_only(families: Families, kind: str) -> None:
    given = inputs()
    found = families("compute", **given)["predicted"]
    other = families("compute", **{**given, "framings": FRAMINGS[::-1]})["predicted"]
    assert (found != other) == ("sdxl" in kind)


def test_frozen_weights_fail_with_checkpointing_of_its_own_and_not_in_a_run(
    families: Families, kind: str, settings: dict[str, Any]
) -> None:
    webui = families.webui
    before = webui.call("their_checkpointing", at="model")
    flags = webui.call("their_checkpointing", at="model", on=True)
    try:
        assert "does not require grad" in families("frozen_backward")
        for ours in (False, True):
            webui.call("create", name=NAME, text="striped circle", vectors=3, overwrite=True)
            run = webui.call("train", **{**settings, "gradient_checkpointing": ours})
            assert run["problem"] == ""
            assert [event["skipped"] for event in of_kind(run, "StepDone")] == [False] * 6
        assert webui.call("their_checkpointing", at="model") == [True] * len(flags)
    finally:
        webui.call("their_checkpointing", at="model", on=any(before))


@pytest.mark.parametrize("checkpointing", ["off", "transformer-blocks", "all-blocks"])
def test_a_step_waits_for_the_device_once(families: Families, kind: str, checkpointing: str) -> None:
    found = families.webui.call("steps_without_values", at="model", checkpointing=checkpointing, steps=2)
    assert len(found) == 2, "\n".join(found)


# A run


def test_a_run_learns_and_its_file_is_listed_and_used(families: Families, kind: str, settings: dict[str, Any]) -> None:
    webui = families.webui
    fresh, without = webui.draw(WITH_IT), webui.draw(FIXED)
    more = {"max_steps": 20, "evaluate_every": 10, "learning_rate": "0.02", "restore_best": False}
    run = webui.call("train", **{**settings, **more})
    assert run["problem"] == ""
    assert of_kind(run, "RunFinished")[0]["reason"] == "done"
    measured = [event["loss"] for event in of_kind(run, "Evaluated")]
    assert measured[-1] < measured[0]
    assert webui.get("embeddings")["loaded"][NAME]["vectors"] == 3
    written = files.load(webui.embeddings / f"{NAME}.safetensors")
    assert written.step == 20
    loaded = families("loaded_vectors", name=NAME)
    held = {"": next(iter(written.vectors.values()))} if len(written.vectors) == 1 else written.vectors
    assert loaded.keys() == held.keys()
    assert all(torch.equal(torch.tensor(loaded[key]), held[key].float()) for key in held)
    assert not np.array_equal(webui.draw(WITH_IT), fresh)
    assert np.array_equal(webui.draw(FIXED), without)


def test_previews_show_the_vectors_of_their_step(families: Families, kind: str, settings: dict[str, Any]) -> None:
    webui = families.webui
    run = webui.call("train", **{**settings, "save_image_every": 3, "learning_rate": "0.05"})
    assert run["problem"] == ""
    assert not of_kind(run, "PreviewFailed")
    shown = [
        np.asarray(Image.open(event["path"]).convert("RGB")).astype(np.int16) for event in of_kind(run, "PreviewMade")
    ]
    assert len(shown) == 3
    assert len({image.tobytes() for image in shown}) == 3
    # The last one is what txt2img generates; attention rounds in another way.
    assert np.abs(webui.draw(WITH_IT) - shown[-1]).mean() < 1


def test_previews_have_the_embedding_in_every_encoder(families: Families, kind: str) -> None:
    request = {"prompt": "a circle by [name]", "steps": 4, "seed": 3, "width": 64, "height": 64}
    whole = families("generated", **request)
    assert families("generated", **request) == whole
    for key in WIDTHS[KINDS[kind][0].key]:
        assert families("generated", without=[key], **request) != whole
    assert families("hijacks")


# That nothing of it is left


@pytest.mark.parametrize(
    ("how", "changes"),
    [
        ("done", {"save_image_every": 3, "evaluate_every": 3}),
        ("checkpointing", {"gradient_checkpointing": True}),
        ("loss is not finite", {"learning_rate": "1e38", "max_steps": 40}),
        ("whoever listens fails", {"fail_at": 3}),
        ("memory is full at the start", {"full": "encoding"}),
        ("memory is full in a step", {"full": "step"}),
        ("interrupted", {"max_steps": 100_000}),
    ],
)
def test_everything_is_as_before(
    families: Families, kind: str, settings: dict[str, Any], how: str, changes: dict[str, Any]
) -> None:
    webui = families.webui
    webui.draw(replace(WITH_IT, steps=1))
    image, before = webui.draw(FIXED), webui.call("state")
    if how == "interrupted":
        run = interrupted(families, {**settings, **changes})
        assert of_kind(run, "RunFinished")[0]["reason"] == "stopped"
    else:
        run = webui.call("train", **{**settings, **changes})
    assert bool(run["problem"]) == (how not in ("done", "checkpointing", "interrupted")), run["problem"]
    after = webui.call("state")
    for found in (before, after):  # the trained embedding is loaded again, and the prompts' cache is emptied
        found["embeddings"] = [item for item in found["embeddings"] if item[0] != NAME]
        found.pop("remembered")
    assert after == before
    assert families("hijacks")
    assert np.array_equal(webui.draw(FIXED), image)


def interrupted(families: Families, settings: dict[str, Any]) -> dict[str, Any]:
    """A run that is ended by the WebUI's own Interrupt."""
    with ThreadPoolExecutor(1) as executor:
        run = executor.submit(families.webui.call, "train", **settings)
        families.webui.until(JOB, 3)
        families.webui.post("interrupt")
        return dict(run.result())


# What is not trained on


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([["model", "is_sd3", True]], "an SD3 model"),
        ([["model", "is_ssd", True]], "an SSD-1B model"),
        ([["model", "is_sdxl_inpaint", True]], "an SDXL inpainting model"),
        ([["embedders", "embedders", [1, 2, 3]]], "an SDXL refiner"),
        ([["embedders", "embedders", [0]]], "other text encoders"),
        ([["options", "use_old_emphasis_implementation", True]], "old emphasis"),
        ([["arguments", "lowvram", True]], "--lowvram"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_kinds_and_settings_are_refused_by_name(families: Families, changes: list[list[Any]], words: str) -> None:
    families.load("sdxl")
    before = families.webui.call("state")
    said = families("refusal", changes=changes)
    assert words in said
    assert "\n" not in said
    assert families.webui.call("state") == before


@pytest.mark.parametrize(
    ("loaded", "latent_side", "metadata", "size"),
    [
        ("sd2-v", 64, {}, 768),
        ("sd2-v", 96, {}, 768),
        ("sd2-v", 64, {"modelspec.resolution": "640x640"}, 640),
        ("sd2-eps", 64, {}, 512),
        ("sdxl", None, {}, 1024),
        ("sdxl", None, {"modelspec.resolution": "832x1216"}, 1024),
    ],
)
def test_the_size_is_the_family_s_or_what_the_file_says(
    families: Families, loaded: str, latent_side: int | None, metadata: dict[str, str], size: int
) -> None:
    families.load(loaded)
    changes = [["model", "image_size", latent_side], ["checkpoint", "metadata", metadata]]
    assert families("size", changes=changes) == size
