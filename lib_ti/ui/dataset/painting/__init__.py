"""Painting over an image, for the steps Remove and Masks."""
