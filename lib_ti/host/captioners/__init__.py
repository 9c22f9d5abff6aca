"""Captioners from local folders, the same for all hosts: image-to-text models of transformers, and WD taggers."""
