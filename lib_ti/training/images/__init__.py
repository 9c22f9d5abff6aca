"""Images of a run: previews, loss curves, contact sheets."""
