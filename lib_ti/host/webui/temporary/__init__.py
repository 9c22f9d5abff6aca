"""Changes to the WebUI that last as long as a session and are undone after it."""
