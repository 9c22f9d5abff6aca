"""Folders of the WebUI."""

data_path = "data"
