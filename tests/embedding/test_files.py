"""Embedding files of every program: read, written, converted, refused."""

import dataclasses
import itertools
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats import reading
from lib_ti.errors import BadInput
from lib_ti.families.model_info import ModelInfo
from lib_ti.storage.atomic import CannotWrite

RECIPE = {"rate": "0.005:100, 1e-3", "steps": 500, "nested": {"images": [1, 2.5, None, True, "é"]}}
WIDTHS = {"sd1": {"clip_l": 768}, "sd2": {"clip_h": 1024}, "sdxl": {"clip_l": 768, "clip_g": 1280}}


def embedding(family="sd1", count=3, name="riso") -> Embedding:
    generator = torch.Generator().manual_seed(1)
    vectors = {key: torch.randn(count, width, generator=generator) * 0.02 for key, width in WIDTHS[family].items()}
    return Embedding(name, vectors, 500, "v1-5 pruned", "0123456789", RECIPE)


def info(family="sd1", **widths) -> ModelInfo:
    return ModelInfo("model-x", "0" * 10, family, "eps", widths or WIDTHS[family], "vae", 512, {})


def same_vectors(a: Embedding, b: Embedding) -> bool:
    return a.vectors.keys() == b.vectors.keys() and all(torch.equal(a.vectors[k], b.vectors[k]) for k in a.vectors)


@pytest.mark.parametrize(
    ("family", "suffix"),
    [pair for pair in itertools.product(WIDTHS, reading.SUFFIXES) if pair != ("sdxl", ".webp")],
)
def test_what_is_saved_is_loaded(tmp_path, family, suffix):
    saved, path = embedding(family), tmp_path / f"riso{suffix}"
    files.save(saved, path)
    loaded = files.load(path)
    assert loaded.name == "riso"
    assert loaded.family == family
    assert same_vectors(loaded, saved)
    assert all(t.dtype == torch.float32 and not t.requires_grad for t in loaded.vectors.values())
    if suffix == ".bin" or (family, suffix) == ("sdxl", ".pt"):
        assert (loaded.step, loaded.model_name, loaded.recipe) == (0, "", {})
    else:
        assert loaded == dataclasses.replace(saved, vectors=loaded.vectors)


def test_vectors_in_training_are_saved_as_plain_numbers(tmp_path):
    leaf = torch.randn(2, 768, dtype=torch.float64, requires_grad=True)
    for suffix in reading.SUFFIXES:
        files.save(Embedding("a", {"clip_l": leaf}), tmp_path / f"a{suffix}")
        assert torch.equal(files.load(tmp_path / f"a{suffix}").vectors["clip_l"], leaf.detach().float())
    assert leaf.requires_grad
    raw = torch.load(tmp_path / "a.pt", weights_only=True)["string_to_param"]["*"]
    assert not raw.requires_grad


def test_pt_is_what_every_webui_takes(tmp_path):
    files.save(embedding(), tmp_path / "riso.pt")
    assert not (tmp_path / "riso.pt").read_bytes().startswith(b"PK"), "WebUIs refuse zips of newer torch versions"
    data = torch.load(tmp_path / "riso.pt", weights_only=True)
    assert data["string_to_token"] == {"*": 265}
    assert list(data["string_to_param"]) == ["*"]
    assert (data["name"], data["step"], data["sd_checkpoint"]) == ("riso", 500, "0123456789")
    assert data["sd_checkpoint_name"] == "v1-5 pruned"
    assert all(item is None or isinstance(item, str | int | dict) for item in data.values())
    files.save(embedding("sdxl"), tmp_path / "xl.pt")
    assert set(torch.load(tmp_path / "xl.pt", weights_only=True)) == {"clip_l", "clip_g"}


def test_safetensors_has_the_names_that_other_programs_look_for(tmp_path):
    files.save(embedding(), tmp_path / "riso.safetensors")
    files.save(embedding("sdxl"), tmp_path / "xl.safetensors")
    assert set(load_file(tmp_path / "riso.safetensors")) == {"emb_params"}
    assert set(load_file(tmp_path / "xl.safetensors")) == {"clip_l", "clip_g"}
    with safe_open(tmp_path / "riso.safetensors", "pt") as file:
        metadata = file.metadata()
    assert (metadata["name"], metadata["step"], metadata["sd_checkpoint"]) == ("riso", "500", "0123456789")
    assert json.loads(metadata["recipe"]) == RECIPE


VECTORS = torch.linspace(-1, 1, 2 * 768).reshape(2, 768)
XL = {"clip_l": torch.ones(2, 768), "clip_g": torch.ones(2, 1280)}
OTHERS = {
    "webui.pt": {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": VECTORS.clone().requires_grad_()},
        "step": None,
    },
    "original.pt": {
        "string_to_token": {"*": torch.tensor(265)},
        "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(VECTORS)}),
    },
    "diffusers.bin": {"<riso>": VECTORS},
    "diffusers-one.bin": {"<riso>": VECTORS[0]},
    "diffusers.safetensors": {"<riso>": VECTORS},
    "kohya.safetensors": {"emb_params": VECTORS},
    "kohya.pt": {"string_to_param": {"*": VECTORS}},
    "onetrainer.safetensors": {"emp_params": VECTORS},
    "half.safetensors": {"emb_params": VECTORS.half()},
    "sd2.pt": {"string_to_param": {"*": torch.ones(2, 1024)}},
    "kohya-xl.safetensors": XL,
    "webui-xl.pt": XL,
    "diffusers-xl.safetensors": {"text_encoders_0": XL["clip_l"], "text_encoders_1": XL["clip_g"]},
    "created-by-webui-xl.pt": {"string_to_param": {"*": torch.cat([XL["clip_l"], XL["clip_g"]], 1)}, "step": 0},
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("legacy", [False, True])
def test_files_of_other_programs_are_read(tmp_path, name, legacy):
    path = tmp_path / name
    if path.suffix == ".safetensors":
        save_file(OTHERS[name], path)
    else:
        torch.save(OTHERS[name], path, _use_new_zipfile_serialization=not legacy)
    loaded = files.load(path)
    assert loaded.name == path.stem
    if "xl" in name:
        assert loaded.family == "sdxl"
        assert same_vectors(loaded, Embedding("", XL))
    elif name == "sd2.pt":
        assert loaded.widths == {"clip_h": 1024}
    else:
        wanted = VECTORS[:1] if "one.bin" in name else VECTORS.half().float() if "half" in name else VECTORS
        assert torch.equal(loaded.vectors["clip_l"], wanted)
    path.write_bytes(b"")  # what was loaded does not hang on the file
    assert all(vectors.isfinite().all() for vectors in loaded.vectors.values())


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"string_to_param": {"*": VECTORS, "@": VECTORS}}, "several embeddings"),
        ({"<a>": VECTORS, "<b>": VECTORS[0]}, r"several embeddings, <a> \(2, 768\), <b> \(768,\)"),
        ({"clip_l": VECTORS, "clip_l_out": VECTORS}, "clip_l_out: OneTrainer"),
        ({"emp_params_out": VECTORS}, "emp_params_out: OneTrainer"),
        ({"clip_l": VECTORS, "t5": torch.ones(2, 4096)}, r"clip_l \(2, 768\), t5 \(2, 4096\)"),
        ({"clip_l": VECTORS, "clip_g": torch.ones(1, 1280)}, "unequally many"),
        ({"a": torch.ones(2, 3, 4)}, r"\(2, 3, 4\)"),
        ({"a": torch.ones(2, 768, dtype=torch.int64)}, "int64"),
        ({"a": torch.empty(0, 768)}, r"\(0, 768\)"),
        ({"a": torch.ones(5000, 8)}, r"\(5000, 8\)"),
        ({"a": torch.ones(1, 8).expand(10**12, 8)}, "no embedding"),
        ({"a": torch.tensor([[1.0, float("nan")]])}, "NaN"),
        ({f"layer.{i}": torch.ones(i + 1, i + 2) for i in range(9)}, "and 3 more"),
        ({"step": 1, "hello": "world"}, "step, hello"),
        ({}, "holds nothing"),
        ([1, 2], "holds a list"),
        ({"string_to_param": 5}, "string_to_param is a int"),
    ],
)
def test_what_is_no_single_embedding_is_refused_with_what_was_found(tmp_path, data, word):
    path = tmp_path / "odd.pt"
    torch.save(data, path)
    with pytest.raises(BadInput, match=word) as caught:
        files.load(path)
    assert str(path) in str(caught.value)


def test_models_and_damaged_safetensors_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({f"model.{i}": torch.ones(2) for i in range(40)}, path)
    with pytest.raises(BadInput, match="but a model"):
        files.load(path)
    files.save(embedding(), path)
    whole = path.read_bytes()
    for length in (1, 7, 8, 50, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(BadInput, match="damaged"):
            files.load(path)


@pytest.mark.parametrize("name", ["missing.pt", "a.txt", "a", "a.jpg", "folder.pt", "empty.pt", "empty.png"])
def test_paths_that_are_no_embedding_file_are_refused(tmp_path, name):
    (tmp_path / "folder.pt").mkdir()
    (tmp_path / "empty.pt").touch()
    (tmp_path / "empty.png").touch()
    with pytest.raises(BadInput) as caught:
        files.load(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_metadata_of_other_programs_does_no_harm(tmp_path):
    path = tmp_path / "a.safetensors"
    for metadata in ({"step": "many", "recipe": "{"}, {"step": "-3", "recipe": "[1]"}, {"ss_steps": "5"}, None):
        save_file({"emb_params": VECTORS}, path, metadata=metadata)
        assert (files.load(path).step, files.load(path).recipe) == (0, {})


@pytest.mark.parametrize("suffix", reading.SUFFIXES)
def test_a_failed_save_leaves_the_file_before_it(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    files.save(embedding(), path)
    before = path.read_bytes()
    spoilt = embedding()
    spoilt.vectors["clip_l"][1, 5] = float("inf")
    with pytest.raises(CannotWrite, match="step 500 its clip_l vectors hold NaN or infinity"):
        files.save(spoilt, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_file_that_reads_back_differently_never_takes_its_place(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    files.save(embedding(), path)
    before = path.read_bytes()
    write = files.safetensors.torch.save_file

    def failing_disk(tensors, file, metadata):
        write({key: torch.zeros_like(tensor) for key, tensor in tensors.items()}, file, metadata=metadata)

    monkeypatch.setattr(files.safetensors.torch, "save_file", failing_disk)
    with pytest.raises(CannotWrite, match="did not read back"):
        files.save(embedding(), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        *zip(reading.SUFFIXES, reading.SUFFIXES[1:], strict=False),
        (".webp", ".pt"),
        (".png", ".safetensors"),
        (".pt", ".pt"),
    ],
)
def test_any_file_becomes_any_other(tmp_path, source, target):
    files.save(embedding(), tmp_path / f"old{source}")
    files.convert(tmp_path / f"old{source}", tmp_path / "deep" / f"new{target}")
    loaded = files.load(tmp_path / "deep" / f"new{target}")
    assert same_vectors(loaded, embedding())
    assert loaded.name == "new"
    assert loaded.step == (0 if ".bin" in (source, target) else 500)


def test_converting_refuses_unknown_targets_before_anything_is_written(tmp_path):
    files.save(embedding("sdxl"), tmp_path / "xl.safetensors")
    for target in ("xl.webp", "xl.jpg", "xl", "xl.preview.png"):
        with pytest.raises(BadInput, match=target):
            files.convert(tmp_path / "xl.safetensors", tmp_path / target)
    assert [p.name for p in tmp_path.iterdir()] == ["xl.safetensors"]


def test_an_embedding_of_another_kind_of_model_is_refused_with_both_widths():
    files.check_fits(embedding(), info())
    files.check_fits(embedding("sdxl"), info("sdxl"))
    with pytest.raises(BadInput, match=r"SD 2 with vectors of 1024 .* SD 1 with vectors of 768"):
        files.check_fits(embedding("sd2"), info())
    with pytest.raises(BadInput, match=r"SD 1 .*768 .* SDXL with vectors of 768 \(clip_l\) and 1280 \(clip_g\)"):
        files.check_fits(embedding(), info("sdxl"))
    with pytest.raises(BadInput, match=r"768 .*128"):
        files.check_fits(embedding(), info("sd1", clip_l=128))


@pytest.mark.parametrize(("there", "missing"), [("clip_l", "clip_g"), ("clip_g", "clip_l")])
def test_half_an_sdxl_embedding_is_refused_with_what_to_do(there, missing):
    half = dataclasses.replace(embedding("sdxl"), vectors={there: embedding("sdxl").vectors[there]})
    with pytest.raises(BadInput, match=rf"made for SDXL, its file lacks the vectors for {missing}: use the complete"):
        files.check_fits(half, info("sdxl"))
