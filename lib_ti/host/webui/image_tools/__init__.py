"""The captioners, upscalers and the inpainting of the WebUI."""
