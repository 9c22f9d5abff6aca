"""The sub-tab Dataset: one package for each of its steps, from found images to a training set.

In each package ``page`` lays the step out, ``actions`` connects what its events do, ``view`` makes the HTML that it
shows from plain values, and ``state`` does the work, without Gradio.
"""
