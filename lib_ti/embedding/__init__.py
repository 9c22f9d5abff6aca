"""An embedding: its type, its names, its files and its picture card."""
