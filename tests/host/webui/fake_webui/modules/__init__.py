"""A small stand-in for the WebUI's package ``modules``: the names that lib_ti/host/webui uses to build the tab.

tests/webui/test_names.py compares its signatures with those of a genuine WebUI.
"""
