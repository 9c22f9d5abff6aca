"""reForge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ldm_patched.modules import model_management
from modules import sd_hijack, sd_models, sd_text_encoder, sd_vae, shared

from lib_ti.host.forge.fork import Selected, clip_skip, refuse_text_encoders, selected_checkpoint


class ReForge:
    """See :class:`lib_ti.host.forge.fork.Fork`.

    The fork's model is never touched: after a failure to load one, what is left of it raises in unexpected ways.
    """

    name = "reForge"

    def selected(self) -> Selected:
        checkpoint = selected_checkpoint()
        refuse_text_encoders(_text_encoders(checkpoint))
        autoencoder, _ = sd_vae.resolve_vae(checkpoint.filename).tuple()
        return Selected(
            checkpoint=Path(checkpoint.filename),
            name=checkpoint.name,
            autoencoder=Path(autoencoder) if autoencoder else None,
            clip_skip=clip_skip(),
        )

    def free(self) -> None:
        """By its memory manager; its ``unload_model_weights`` moves the model without the manager's knowledge."""
        model_management.unload_all_models()
        model_management.soft_empty_cache()

    def refresh(self, path: Path) -> None:
        """Load it into the database; looking into it loads a model where none is, which reads the folder by itself."""
        database = getattr(sd_hijack.model_hijack, "embedding_db", None)
        if database is not None and sd_models.model_data.sd_model is not None:
            database.load_from_file(str(path), path.name)


def _text_encoders(checkpoint: Any) -> list[str]:
    """Return the chosen text encoder where it is in another file; "Automatic" is the one of the checkpoint's name.

    The list has the checkpoints, too.
    """
    setting, name = getattr(shared.opts, "sd_text_encoder", "Automatic"), checkpoint.model_name
    options = sd_text_encoder.text_encoder_options
    found = next(
        (one for one in options if one.label == setting or (setting, one.model_name) == ("Automatic", name)), None
    )
    file = getattr(getattr(found, "te_info", None), "filename", checkpoint.filename)
    return [] if found is None or file == checkpoint.filename else [found.label]
