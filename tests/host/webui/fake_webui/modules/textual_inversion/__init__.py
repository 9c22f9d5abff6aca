"""The WebUI's own Textual Inversion."""
