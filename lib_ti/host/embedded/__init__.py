"""The host without a WebUI: a checkpoint file, run by diffusers and transformers, offline."""
