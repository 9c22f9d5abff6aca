"""Fewer vectors after training: what an embedding loses when it is cut to its first ones, and the cutting."""
