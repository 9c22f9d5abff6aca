"""Textual Inversion inside AUTOMATIC1111's Stable Diffusion WebUI, and without it.

Importing this package does no work: no torch, no Gradio, no files. The parts are imported by name
(``from lib_ti.training.run import train``).
"""

__version__ = "0.1.0"
