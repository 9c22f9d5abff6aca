"""The trainer and what it is made of. Nothing here knows a WebUI."""
