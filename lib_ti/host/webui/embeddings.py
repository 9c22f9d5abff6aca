"""The WebUI's database of embeddings, by which it finds them in prompts."""

from __future__ import annotations

import logging
from pathlib import Path

from modules import sd_hijack, sd_models

from lib_ti.host.webui.base import prompt_cache

logger = logging.getLogger(__name__)


def load(path: Path) -> str:
    """Load one file into the database; returns a sentence for the user where that fails, else an empty text.

    The database's own reload reads all files, and leaves it empty for that long; this needs no lock. Without a model
    there is nothing to do: all embeddings are read with the next one.
    """
    database = getattr(sd_hijack.model_hijack, "embedding_db", None)
    if database is None or sd_models.model_data.sd_model is None:
        return ""
    try:
        database.load_from_file(str(path), path.name)
        prompt_cache.clear_prompt_cache()
    except Exception as error:
        logger.warning("The WebUI did not load %s", path, exc_info=True)
        return (
            f"{path.name} is saved, but the WebUI did not load it ({type(error).__name__}: {error}): press Refresh on "
            "its page Textual Inversion before you use it in a prompt."
        )
    return ""
