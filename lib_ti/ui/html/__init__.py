"""Pieces of HTML and SVG that pages show."""
