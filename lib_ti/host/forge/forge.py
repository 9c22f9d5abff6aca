"""Forge, and Forge Neo, which continues it."""

from __future__ import annotations

from pathlib import Path

from backend import memory_management
from modules import sd_models, shared

from lib_ti.families.sd2 import SD2
from lib_ti.host.embedded.files.vae_file import is_vae_file
from lib_ti.host.forge.fork import Selected, clip_skip, refuse_text_encoders, selected_checkpoint

_ENGINE = "text_processing_engine"
"""How the names of a model's text encoders begin; each has a database of embeddings."""

_FROM_OWN = frozenset({SD2.key})
"""Forge's text encoder of SD 2 is without the layer that is never used."""


class Forge:
    """See :class:`lib_ti.host.forge.fork.Fork`."""

    name = "Forge"

    def selected(self) -> Selected:
        """Return the checkpoint and, of the list "VAE / Text Encoder", the last VAE, which is the one that counts."""
        checkpoint = selected_checkpoint()
        modules = [Path(name) for name in getattr(shared.opts, "forge_additional_modules", None) or ()]
        autoencoders = [path for path in modules if is_vae_file(path)]
        refuse_text_encoders([path.name for path in modules if path not in autoencoders])
        return Selected(
            checkpoint=Path(checkpoint.filename),
            name=checkpoint.name,
            autoencoder=autoencoders[-1] if autoencoders else None,
            clip_skip=clip_skip(),
            from_own=_FROM_OWN,
        )

    def free(self) -> None:
        memory_management.unload_all_models()
        memory_management.soft_empty_cache()

    def refresh(self, path: Path) -> None:
        """Load it into each text encoder's database; a model that is not loaded yet reads the folder when it is."""
        model = sd_models.model_data.sd_model
        engines = [engine for name, engine in vars(model).items() if name.startswith(_ENGINE)] if model else []
        for database in [engine.embeddings for engine in engines if hasattr(engine, "embeddings")]:
            database.load_from_file(str(path), path.name)
