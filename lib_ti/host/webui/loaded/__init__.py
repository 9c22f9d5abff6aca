"""The model as the WebUI has loaded it."""
