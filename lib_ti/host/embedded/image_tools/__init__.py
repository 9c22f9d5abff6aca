"""Captioning and upscaling without a WebUI."""
