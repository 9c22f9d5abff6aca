"""Measure images, report their issues, and find near-duplicates."""
