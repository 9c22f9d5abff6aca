"""Step: generate captions with a model, and edit them."""
