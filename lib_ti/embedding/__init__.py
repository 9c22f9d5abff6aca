"""The embedding: its type, its names, its files and its cards."""
