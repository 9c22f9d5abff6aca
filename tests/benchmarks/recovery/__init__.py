"""The recovery benchmark: hide a word that the pocket model knows, learn it back as an embedding, and measure how well.

``concepts`` says what is learned and ``variants`` how; ``place`` makes the images, ``measure`` trains with the engine's
own trainer, ``records`` keeps the raw numbers, and ``summary``, ``table`` and ``plot`` read them.
"""
