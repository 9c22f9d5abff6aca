"""The extension's entry in the WebUI: one tab. The only code that Reload UI runs again; the rest stays imported."""

from __future__ import annotations

import html
from pathlib import Path

import gradio as gr
from modules import paths_internal, script_callbacks, shared

# The WebUI has our folder on the path while it loads this file, whatever the folder's name; modules that are imported
# later are found through the package.
try:
    from lib_ti.lazy import lazy
except ImportError as error:
    PROBLEM = str(error)
else:
    PROBLEM = ""
    # At first use, so that an error of theirs is shown in the tab.
    preparations = lazy("lib_ti.data.preparations")
    webui_host, fork_host = lazy("lib_ti.host.webui.host"), lazy("lib_ti.host.forge.host")
    forks, webui_tab = lazy("lib_ti.host.webui.base.forks"), lazy("lib_ti.host.webui.base.tab")
    tab, image_addresses = lazy("lib_ti.ui.tab"), lazy("lib_ti.ui.server.image_addresses")

SETTINGS = {
    "ti_log_directory": shared.OptionInfo(
        "textual_inversion", "Default log directory", component_args=shared.hide_dirs
    ).info("for the previews, checkpoints and losses of each run"),
    "ti_file_format": shared.OptionInfo(
        "safetensors", "Default file format of new embeddings", gr.Radio, {"choices": ["safetensors", "pt"]}
    ).info("safetensors keeps the recipe in the file"),
    "ti_seconds": shared.OptionInfo(
        2, "Seconds between two refreshes of the page during a run", gr.Slider, {"minimum": 1, "maximum": 30}
    ),
    "ti_folders": shared.OptionInfo(
        "", "More folders of images for a WebUI with --hide-ui-dir-config", component_args=shared.hide_dirs
    ).info("comma-separated; with that option, this can be changed in config.json only"),
}
"""Their values are read by lib_ti/host/webui/base, modules folders and tab."""


def tabs():
    try:
        if PROBLEM:
            raise ImportError(PROBLEM)
        preparations.keep_notes_below(Path(paths_internal.data_path))
        host = fork_host.ForkHost() if forks.is_fork() else webui_host.WebUIHost()
        page = tab.build(host, **webui_tab.surroundings())
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs in the tab and not only in the console
        page = explain(error)
    return [(page, "Textual Inversion", "ti_tab")]


def routes(_demo, app):
    if not PROBLEM:
        image_addresses.add_route(app, Path(shared.opts.ti_log_directory) / ".thumbnails")


def explain(error):
    reason = html.escape(f"{type(error).__name__}: {error}")
    with gr.Blocks(analytics_enabled=False) as page:
        gr.HTML(f"<p>The tab could not be built. {reason}</p><p>Update the extension, then restart the WebUI.</p>")
    return page


def register(category, callback):
    """As ``on_<category>`` does, but saying which file it is from: the WebUI would look through all modules for that,
    which takes as long as building the tab."""
    callbacks = script_callbacks.callback_map[f"callbacks_{category}"]
    script_callbacks.add_callback(callbacks, callback, category=category, filename=__file__)


shared.options_templates.update(
    shared.options_section(("textual_inversion_tab", "Textual Inversion", "training"), SETTINGS)
)
register("ui_tabs", tabs)
register("app_started", routes)
