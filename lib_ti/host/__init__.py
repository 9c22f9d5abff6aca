"""Hosts lend the trainer a model. ``base`` says what that means; ``embedded`` and ``webui`` do it."""
