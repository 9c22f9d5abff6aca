"""The WebUI's captioners, upscalers and img2img as our tools: what they give, and that nothing of it is left behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_ti.host.model import ImageRequest
from tests.host.captioner_models import make_image_to_text
from tests.host.embedded.sessions import host_of
from tests.webui.runs import JOB
from tests.webui.tools import Tools, running_with_tools

FIXED = ImageRequest("a big red circle, blue background", steps=4, seed=7, width=64, height=64)
TAGS = ["1girl", "fate_(series)", "rating:safe", "red_hair", "zzz"]
SHORT = {"interrogate_clip_min_length": 8, "interrogate_clip_max_length": 12}


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    with running_with_tools(tmp_path_factory.mktemp("webui")) as found:
        yield found


@pytest.fixture(scope="module")
def captioners(tools: Tools) -> None:
    tools("make_blip")
    tools("make_deepbooru", tags=TAGS + [f"tag{number}" for number in range(9176 - len(TAGS))], seen=4)


@pytest.fixture(scope="module")
def upscalers(tools: Tools) -> list[str]:
    names: list[str] = tools("make_upscalers")
    return names


@pytest.fixture
def unchanged(tools: Tools) -> Iterator[None]:
    """Whatever a test does, the session is afterwards as it was, and draws what it drew."""
    drawn, before = tools.webui.draw(FIXED), tools.webui.call("state")
    yield
    after = tools.webui.call("state")
    assert {key: (before[key], after[key]) for key in before if before[key] != after[key]} == {}
    assert np.array_equal(tools.webui.draw(FIXED), drawn)


def noise(path: Path, width: int, height: int, seed: int = 0) -> str:
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(levels).resize((width, height)).save(path)
    return str(path)


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    Image.new("RGB", (300, 100), "red").save(tmp_path / "red.png")
    return [noise(tmp_path / "one.png", 60, 90), noise(tmp_path / "two.png", 400, 300, 1), str(tmp_path / "red.png")]


# Captioners


def test_captioners_without_their_models_say_where_these_go(tools: Tools) -> None:
    """The first test: the models are made by the next ones, and there is no network."""
    for name, file in (("BLIP", "model_base_caption_capfilt_large.pth"), ("deepbooru", "model-resnet_custom_v3.pt")):
        said = tools("refused", tool="captioner", name=name)
        assert f"The captioner {name} has no model, and the WebUI could not download it: put {file} into" in said
    assert "use one of BLIP, deepbooru" in tools("refused", tool="captioner", name="clip")


def test_blip_says_of_several_pictures_what_the_webui_says_of_each(
    tools: Tools, captioners: None, pictures: list[str], unchanged: None
) -> None:
    found = tools("tell_all", name="BLIP", pictures=pictures, options=SHORT)
    assert found["said"] == [one.strip() for one in found["theirs"]]
    assert all(found["said"])
    assert found["told"] == ["Loading the captioner BLIP."]
    assert "1 beams" in found["options"]
    again = tools("tell_all", name="BLIP", pictures=pictures, options=SHORT)
    assert (again["said"], again["told"]) == (found["said"], [])  # it is loaded once


def test_blip_takes_several_beams(tools: Tools, captioners: None, pictures: list[str], unchanged: None) -> None:
    found = tools("tell_all", name="BLIP", pictures=pictures, options={**SHORT, "interrogate_clip_num_beams": 3})
    assert found["said"] == found["theirs"]
    assert "3 beams" in found["options"]


@pytest.mark.parametrize(
    ("options", "tags"),
    [
        ({}, "1girl, fate (series), red hair"),
        ({"deepbooru_use_spaces": False, "deepbooru_escape": False}, "1girl, fate_(series), red_hair"),
        ({"deepbooru_filter_tags": "1girl, red hair", "interrogate_return_ranks": True}, "fate (series)"),
    ],
)
def test_deepbooru_tags_by_the_webuis_settings_without_backslashes(
    tools: Tools, captioners: None, pictures: list[str], unchanged: None, options: dict[str, Any], tags: str
) -> None:
    found = tools("tell_all", name="deepbooru", pictures=pictures[:2], options=options)
    assert found["said"] == [tags, tags]


def test_own_captioners_caption_as_without_a_webui(tools: Tools, pictures: list[str], unchanged: None) -> None:
    folder = tools.webui.folder / "models" / "captioners" / "zqgit"
    make_image_to_text(folder, "git")
    found = tools("tell_all", name="zqgit", pictures=pictures, options={"interrogate_clip_num_beams": 3})
    with host_of(tools.webui.folder / "models").tools.captioner("zqgit", lambda _: None) as captioner:
        assert found["said"] == captioner.caption([Image.open(path).convert("RGB") for path in pictures])
    assert "use one of BLIP, deepbooru, zqgit" in tools("refused", tool="captioner", name="clip")


def test_an_interrupt_stops_captioning_and_it_goes_on_afterwards(
    tools: Tools, captioners: None, tmp_path: Path, unchanged: None
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(6):
        noise(folder / f"{number:02}.png", 64, 64, number)
    settings = {"captioner": "deepbooru", "existing": "ignore", "batch_size": 1}
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(tools, "caption_folder", folder=str(folder), **settings)
        end = time.monotonic() + 120
        while not list(folder.glob("*.txt")) and time.monotonic() < end:
            time.sleep(0.02)
        assert tools.webui.get("progress?skip_current_image=true")["state"]["job"] == JOB
        tools.webui.post("interrupt")
        stopped = run.result()
    assert stopped["problem"].startswith("Stopped: Captioning was stopped")
    there = len(list(folder.glob("*.txt")))
    assert 1 <= there < 6
    ended = tools("caption_folder", folder=str(folder), **settings)
    assert ended["problem"] == ""
    assert (len(ended["unchanged"]), len(ended["written"])) == (there, 6 - there)
    assert (folder / "05.txt").read_text() == "1girl, fate (series), red hair"


def test_a_damaged_model_is_said_and_everything_is_put_back(
    tools: Tools, captioners: None, pictures: list[str], unchanged: None
) -> None:
    tools("forget_captioners")
    models = tools.webui.folder / "models"
    for name, file in (
        ("BLIP", models / "BLIP" / "model_base_caption_capfilt_large.pth"),
        ("deepbooru", models / "torch_deepdanbooru" / "model-resnet_custom_v3.pt"),
    ):
        whole = file.read_bytes()
        try:
            file.write_bytes(whole[: len(whole) // 2])
            said = tools("refused", tool="captioner", name=name)
        finally:
            file.write_bytes(whole)
        assert f"The captioner {name} cannot be loaded from {file}" in said
        assert "\n" not in said


def test_blip_without_its_words_says_where_they_come_from(tools: Tools, captioners: None, unchanged: None) -> None:
    tools("forget_captioners")
    said = tools("refused", tool="captioner", name="BLIP", offline=True)
    assert "needs the tokenizer bert-base-uncased" in said
    assert "damaged" not in said


# Upscalers


def test_the_webuis_upscalers_are_listed_but_those_that_resample(upscalers: list[str]) -> None:
    assert upscalers[0] == "R-ESRGAN 4x+"
    assert {"zqsmall", "zqbroken"} < set(upscalers)
    assert not {"None", "Lanczos", "Nearest"} & set(upscalers)


@pytest.mark.parametrize(("factor", "size"), [(2.0, (202, 180)), (1.3, (131, 117)), (3.0, (303, 270))])
def test_pictures_are_enlarged_to_the_pixel_as_the_embedded_host_does(
    tools: Tools, upscalers: list[str], tmp_path: Path, unchanged: None, factor: float, size: tuple[int, int]
) -> None:
    picture = noise(tmp_path / "one.png", 101, 90)
    # The WebUI gives its models blue in the place of red.
    Image.fromarray(np.asarray(Image.open(picture))[..., ::-1]).save(tmp_path / "swapped.png")
    results = [tmp_path / "webui.png", tmp_path / "embedded.png"]
    assert tools("enlarge", name="zqsmall", picture=picture, factor=factor, result=str(results[0])) == ""
    swapped = str(tmp_path / "swapped.png")
    tools("enlarge_embedded", name="zqsmall", picture=swapped, factor=factor, result=str(results[1]))
    webui, embedded = opened(str(results[0])), opened(str(results[1]))[..., ::-1]
    assert webui.shape == embedded.shape == (size[1], size[0], 3)
    # Above and to the left of pictures that are smaller than its tiles, the WebUI's models see black.
    far = int(40 * factor)
    assert np.abs(webui - embedded)[far:, far:].max() <= 2
    assert np.abs(webui - webui.mean()).max() > 10


def test_an_upscaler_that_cannot_be_loaded_is_no_silent_resampling(
    tools: Tools, upscalers: list[str], tmp_path: Path, unchanged: None
) -> None:
    picture, result = noise(tmp_path / "one.png", 43, 51), tmp_path / "result.png"
    for name in ("zqbroken", "R-ESRGAN 4x+"):
        said = tools("enlarge", name=name, picture=picture, factor=2, result=str(result))
        assert f"UserError: The upscaler {name} did not upscale the image (" in said
        assert not result.exists()
    assert "zqbroken.pth is damaged" in tools("refused_embedded", name="zqbroken")
    assert "There is no upscaler 'Lanczos' here; use one of R-ESRGAN 4x+" in tools(
        "refused", tool="upscaler", name="Lanczos"
    )


def test_an_interrupt_stops_enlarging(tools: Tools, upscalers: list[str], tmp_path: Path, unchanged: None) -> None:
    picture, result = noise(tmp_path / "one.png", 43, 51), tmp_path / "result.png"
    said = tools("enlarge", name="zqsmall", picture=picture, factor=2, result=str(result), interrupted=True)
    assert said == "Stopped: Upscaling was interrupted."
    assert not result.exists()


# Filling


@pytest.fixture
def painted(tmp_path: Path) -> dict[str, str]:
    """A picture, the mask of a part, and where results go."""
    mask = Image.new("L", (90, 70))
    ImageDraw.Draw(mask).rectangle((20, 20, 50, 40), fill=255)
    mask.save(tmp_path / "mask.png")
    noise(tmp_path / "one.png", 90, 70)
    return {
        name: str(tmp_path / file) for name, file in (("picture", "one.png"), ("mask", "mask.png"), ("result", "r"))
    }


def opened(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_a_part_is_drawn_by_seed_and_the_rest_stays(tools: Tools, painted: dict[str, str], unchanged: None) -> None:
    assert tools("fill", **painted, seeds=[1, 2]) == {"problem": "", "told": []}
    first, second = (opened(f"{painted['result']}-{seed}.png") for seed in (1, 2))
    tools("fill", **painted, seeds=[1])
    assert np.array_equal(opened(f"{painted['result']}-1.png"), first)
    tools("fill", **painted, seeds=[1], prompt="a big red circle")
    prompted = opened(f"{painted['result']}-1.png")
    given, part = opened(painted["picture"]), opened(painted["mask"])[..., 0] > 0
    for one in (first, second, prompted):
        assert np.array_equal(one[~part], given[~part])
        assert np.abs(one[part] - given[part]).mean() > 5
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, prompted)
    assert first[part].std() < given[part].std()  # of the noise that was there nothing is left


def test_the_users_settings_for_their_own_pictures_do_not_count(
    tools: Tools, painted: dict[str, str], unchanged: None
) -> None:
    tools("fill", **painted, seeds=[1])
    first, before = opened(f"{painted['result']}-1.png"), files(tools.webui.folder)
    options = {
        "save_init_img": True,
        "img2img_color_correction": True,
        "return_mask": True,
        "save_mask": True,
        "face_restoration": True,
        "img2img_extra_noise": 0.1,
        "initial_noise_multiplier": 0.5,
    }
    assert tools("fill", **painted, seeds=[1], options=options)["problem"] == ""
    assert np.array_equal(opened(f"{painted['result']}-1.png"), first)
    assert files(tools.webui.folder) == before


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "webui.log")


@pytest.mark.parametrize(
    ("how", "problem"),
    [({"interrupted": True}, "Stopped: Inpainting was interrupted."), ({"fail": True}, "RuntimeError: a defect")],
)
def test_filling_that_does_not_end_well_leaves_nothing(
    tools: Tools, painted: dict[str, str], unchanged: None, how: dict[str, Any], problem: str
) -> None:
    assert tools("fill", **painted, seeds=[1], **how)["problem"] == problem


def test_an_interrupt_in_the_middle_stops_it(tools: Tools, painted: dict[str, str], unchanged: None) -> None:
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(tools, "fill", **painted, seeds=list(range(1, 200)))
        end = time.monotonic() + 60
        while not Path(f"{painted['result']}-2.png").exists() and time.monotonic() < end:
            time.sleep(0.02)
        tools.webui.post("interrupt")
        assert run.result()["problem"] == "Stopped: Inpainting was interrupted."


def test_tools_wait_for_their_turn(tools: Tools, painted: dict[str, str]) -> None:
    tools.webui.call("busy", seconds=1.0)
    found = tools("fill", **painted, seeds=[1])
    assert found == {"problem": "", "told": ["Waiting until the WebUI has finished what it is doing."]}
