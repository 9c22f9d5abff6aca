"""What this project promises in figures, measured: ``python dev.py bench`` (a few minutes), or some of it by name."""
