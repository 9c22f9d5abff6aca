"""The tab "Textual Inversion": the whole workflow, the same in the WebUI and without it.

``tab``, ``form``, ``parts``, ``serve`` and the ``*_tab`` modules know Gradio and lay things out. The others know the
engine and no Gradio, so that all that a page says can be tested without one.
"""
