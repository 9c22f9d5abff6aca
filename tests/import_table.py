"""Who may import whom; ``test_architecture`` checks the source against it.

An *area* is a subpackage or a module of ``lib_ti``; the most particular name of the table counts, so that
``host.base`` is an area of its own within ``host``. Within the areas of :data:`ORDER` each module may import only
modules of earlier layers.
"""

from __future__ import annotations

BASE = {
    "",
    "errors",
    "wording",
    "paths",
    "signals",
    "storage",
    "ordered_map",
    "placeholders",
    "prompt_syntax",
    "schedule",
    "config",
    "families",
    "lazy",
}  # "" is the package itself, for its version
DATA = {"data", "data.images", "data.beside", "data.textfile"}
ENGINE = BASE | DATA | {"host.base", "host.model", "host.tools", "embedding", "embedding.formats"}
HOST = {
    *("errors", "wording", "signals", "prompt_syntax", "families", "lazy", "embedding", "embedding.formats"),
    *("host.base", "host.model", "host.tools", "host.clip", "host.captioners"),
    *("host.request_checks", "host.inpainted_patch", "host.blip_input", "host.weights_hash", "host.noise_schedule"),
    "host.recognized",
}
EMBEDDED = {"host.embedded", "host.embedded.files", "host.embedded.image_tools", "host.embedded.sampling"}
WEBUI = {"host.webui", "host.webui.base", "host.webui.loaded", "host.webui.image_tools", "host.webui.temporary"}
FORGE = {"host.forge"}
CAPTIONERS = {"host.captioners"}
HOSTS = {"host.clip"} | CAPTIONERS | EMBEDDED | WEBUI | FORGE
TRAINING_PARTS = {
    f"training.{part}"
    for part in ("callbacks", "checks", "cut", "files", "images", "memory", "step", "suggest", "validation")
}
TRAINING = {"training"} | TRAINING_PARTS
PREP = {"prep", "prep.incoming", "prep.inspect", "prep.recipe", "prep.captions", "prep.remove"}
MAY_IMPORT: dict[str, set[str]] = {
    "": set(),
    "errors": {"wording"},
    "wording": set(),
    "signals": {"wording"},
    "storage": {"errors"},
    "ordered_map": set(),
    "placeholders": set(),
    "prompt_syntax": {"errors", "wording"},
    "schedule": {"errors", "wording"},
    "paths": {"errors", "wording"},
    "config": {"errors", "wording", "paths", "placeholders", "schedule"},
    "families": set(),
    "lazy": set(),
    "host.base": {"errors", "signals", "families", "host.model", "host.tools"},
    "host.model": {"errors", "embedding", "families"},
    "host.tools": set(),
    "embedding": BASE | {"embedding.formats"},
    "embedding.formats": {"errors", "wording", "families"},
    "data.textfile": BASE,
    "data.images": BASE | {"embedding.formats"},
    "data.beside": BASE | {"data.images", "data.textfile"},
    "data": BASE | {"host.model", "embedding.formats", "data.images", "data.beside", "data.textfile"},
    "training": ENGINE | TRAINING_PARTS,
    "training.callbacks": ENGINE | TRAINING - {"training.checks"},
    "training.checks": ENGINE | {"training.step", "training.images"},
    "training.cut": ENGINE | {"training", "training.files", "training.images", "training.step", "training.validation"},
    "training.memory": ENGINE | {"training.step", "training.checks"},
    "training.images": ENGINE | {"training.files", "training.validation"},
    "training.validation": ENGINE | {"training.files", "training.memory", "training.step"},
    "training.files": ENGINE | {"training.step"},
    "training.step": ENGINE,
    "training.suggest": ENGINE | {"training", "training.checks", "training.memory", "training.step"},
    "prep": ENGINE,
    "prep.incoming": ENGINE,
    "prep.remove": ENGINE | {"prep"},
    "prep.inspect": ENGINE | {"prep", "prep.remove"},
    "prep.recipe": ENGINE | {"prep", "prep.remove"},
    "prep.captions": ENGINE | {"prep"},
    "make_it": ENGINE | PREP | TRAINING,
    "background": BASE | TRAINING | {"host.base", "make_it"},
    "host": set(),
    "host.request_checks": {"errors", "families", "host.model"},
    "host.inpainted_patch": {"families"},
    "host.blip_input": set(),
    "host.weights_hash": set(),
    "host.noise_schedule": set(),
    "host.recognized": {"families"},
    "host.captioners": {"errors", "lazy", "embedding.formats", "host.tools"},
    "host.clip": {"errors", "wording", "prompt_syntax", "families", "embedding", "host.model"},
    "host.embedded": HOST | EMBEDDED,
    "host.embedded.files": HOST | {"storage"},
    "host.embedded.sampling": HOST,
    "host.embedded.image_tools": HOST,
    "host.forge": HOST | EMBEDDED | {"host.webui.base"},
    "host.webui": HOST | WEBUI,
    "host.webui.base": HOST | {"paths"},
    "host.webui.loaded": HOST,
    "host.webui.image_tools": HOST | {"host.webui.base", "host.webui.loaded", "host.webui.temporary"},
    "host.webui.temporary": HOST,
    "pocket": {"", "storage", "errors", "host.clip"} | EMBEDDED,
    "ui": ENGINE | PREP | TRAINING | {"background", "make_it"},
    "cli": ENGINE | PREP | TRAINING | EMBEDDED | {"host.clip", "pocket", "background", "make_it", "ui"},
    "__main__": {"cli"},
    "scripts": {"lazy", "data", "host.forge", "host.webui", "host.webui.base", "ui"},
    "tools": {"pocket", "prep", "prep.remove", "families", "host.base", "host.model", "host.clip"} | EMBEDDED,
}
EMBEDDING = {"embedding", "embedding.formats"}
WORKING = (
    PREP
    | EMBEDDING
    | HOSTS
    | TRAINING
    | DATA
    | {"host.base", "host.model", "host.tools", "pocket", "tools"}
    | {"host.request_checks", "host.inpainted_patch", "host.blip_input", "host.weights_hash", "host.noise_schedule"}
)
ONLY_IN: dict[str, set[str]] = {
    "torch": WORKING,
    "numpy": WORKING,
    "PIL": WORKING | {"ui"},
    "cv2": {"prep.inspect", "prep.recipe", "prep.remove", "tools"},
    "patchmatch_cython": {"prep.remove"},
    "safetensors": WORKING,
    "sgm": WEBUI,
    "backend": FORGE,
    "ldm_patched": FORGE,
    "diffusers": EMBEDDED | {"pocket", "tools"},
    "transformers": EMBEDDED | CAPTIONERS | {"pocket", "tools"},
    "onnxruntime": CAPTIONERS,
    "tokenizers": {"host.clip"},
    "matplotlib": {"training.images"},
    "gradio": {"ui", "scripts"},
    "fastapi": {"ui"},
}
ORDER: dict[str, tuple[set[str], ...]] = {
    "families": ({"clip"}, {"family"}, {"model_info", "modelspec", "sd1", "sd2", "sdxl"}, {"registry"}),
    "embedding": (
        {"embedding", "initial", "names", "text_mask"},
        {"cardface", "layouts", "verify"},
        {"card"},
        {"files"},
        {"library"},
    ),
    "embedding.formats": (
        {"contents", "pickle_parts", "pixelcode"},
        {"card_reading", "unpickle"},
        {"reading", "tensor_files"},
    ),
    "data.images": ({"buckets", "colour", "formats", "png"}, {"decode"}, {"contents"}),
    "data.beside": ({"metadata"}, {"companions"}, {"captions", "masks"}),
    "data": (
        {"folder", "latent_files"},
        {"dataset", "templates"},
        {"batches", "framing", "preparations", "reading", "scan"},
        {"latents"},
    ),
    "host.captioners": ({"image_to_text", "wd_tagger"}, {"folders"}),
    "host.clip": ({"network", "tokenizer"}, {"chunks", "conditioning", "token_table"}),
    "host.embedded": (
        {"device", "diffusers_classes", "optimization", "prediction", "release", "stored_half", "text_encoder"},
        {"prompt_encoder"},
        {"architecture", "weights"},
        {"networks", "recognized"},
        {"described", "model"},
        {"inpainting", "models"},
        {"tools"},
        {"host"},
    ),
    "host.embedded.files": (
        {"hashes", "ldm_names", "mapped"},
        {"recognition"},
        {"checkpoint", "description"},
        {"vae_file"},
    ),
    "host.embedded.sampling": ({"levels", "steps"}, {"schedules"}, {"samplers"}, {"sample"}),
    "host.embedded.image_tools": ({"blip", "upscaling"},),
    "host.webui": (
        {"embeddings", "file_hints"},
        {"preview"},
        {"model", "tools"},
        {"session"},
        {"models"},
        {"host"},
    ),
    "host.webui.base": (
        {"captioners", "folders", "forks", "prompt_cache", "random_state", "turn"},
        {"progress", "tab", "upscalers"},
        {"tools"},
    ),
    "host.forge": ({"fork"}, {"captioners", "forge", "reforge"}, {"known", "models"}, {"tools"}, {"host"}),
    "host.webui.loaded": ({"autoencoder", "conditioning", "kind", "noise_schedule", "text_encoder"}, {"prompts"}),
    "host.webui.image_tools": ({"captioners", "inpainting"},),
    "host.webui.temporary": ({"preserved", "recompute"}, {"ldm_checkpointing"}),
    "training": (
        {"initialization", "intervals", "published_embedding", "resume", "snapshot", "stopping", "trainer"},
        {"build", "create", "run_length"},
        {"inputs"},
        {"run_plan"},
        {"first_step"},
        {"check", "session"},
        {"run"},
    ),
    "training.callbacks": ({"evaluator", "previewer", "recorder"}, {"run_images", "saver"}),
    "training.checks": (
        {"attention", "findings", "prompts", "settings"},
        {"disk_space", "norms", "preset", "self_test"},
    ),
    "training.cut": ({"keep", "losses", "run_samples"}, {"compare"}),
    "training.files": ({"run_logger", "run_state", "tables"}, {"run_folder"}, {"place"}),
    "training.images": ({"curve", "previews"}, {"plot", "run_curves"}, {"contact_sheet"}),
    "training.memory": ({"device", "sets"}, {"at_once", "estimate"}, {"choice"}),
    "training.step": (
        {"batch", "diffusion", "embeddings", "gradients", "limits", "loss_scale", "norms"},
        {"batch_source", "nested_dropout", "objective", "optimizers", "trial"},
        {"backward"},
    ),
    "training.suggest": ({"candidates", "word_loss"}, {"ranking"}, {"contradiction", "suggestions"}, {"initial_text"}),
    "training.validation": (
        {"history", "validation_loss"},
        {"differences", "samples", "sentences"},
        {"measurement", "verdict"},
        {"cadence"},
    ),
    "prep.incoming": ({"archive", "names"}, {"bring_in"}),
    "make_it": (
        {"exclusion", "state"},
        {"making"},
        {"images"},
        {"embedding", "training"},
        {"comparison"},
        {"pipeline"},
        {"snapshot"},
    ),
    "pocket": ({"architecture", "diffusion", "words", "world"}, {"captions", "reader"}, {"files", "sample_set"}),
}
"""Layers of the modules of an area, the lowest first."""
