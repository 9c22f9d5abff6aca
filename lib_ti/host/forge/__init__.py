"""The host in Forge and its relatives: their queue, settings and folders, with the model in a second copy of our own.

Training through their own model is impossible, as its weights are made for generating only. So the selected checkpoint
file is loaded by :mod:`lib_ti.host.embedded`, after theirs has left the graphics card, and given up when the session
ends; their next image loads theirs again. What differs from one fork to the next is a :class:`Fork`, one file each.
"""
