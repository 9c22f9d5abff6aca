"""Recognition of checkpoint files by their headers."""
