"""Image files: formats, decoding, color profiles, training sizes."""
