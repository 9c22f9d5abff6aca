"""reForge."""

from __future__ import annotations

from pathlib import Path

from ldm_patched.modules import model_management
from modules import sd_hijack, sd_vae

from lib_ti.host.forge.fork import Selected, chosen, clip_skip, refuse_text_encoders, selected_checkpoint


class ReForge:
    """See :class:`lib_ti.host.forge.fork.Fork`.

    The fork's model is never touched: after a failure to load one, what is left of it raises in unexpected ways.
    """

    name = "reForge"

    def selected(self) -> Selected:
        checkpoint = selected_checkpoint()
        refuse_text_encoders([name for name in [chosen("sd_text_encoder")] if name])
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
        database = getattr(sd_hijack.model_hijack, "embedding_db", None)
        if database is not None:
            database.load_from_file(str(path), path.name)
