"""An embedding: its type, its names, its files and its image card."""
