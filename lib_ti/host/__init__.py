"""Hosts, which give the trainer a model. ``base``, ``model`` and ``tools`` are the seam; the packages implement it."""
