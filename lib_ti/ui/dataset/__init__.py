"""The steps of the sub-tab Dataset, from found pictures to a training set: one module a step.

``*_page`` modules make what a step shows from plain values and know no Gradio; the others lay out and connect.
"""
