"""The tab "Textual Inversion": the whole workflow, the same in the WebUI and without it.

``tab``, ``parts``, ``widgets``, ``server`` and each page's ``page`` and ``actions`` know Gradio. The others know the
engine and no Gradio, so that all that a page says can be tested without one.
"""
