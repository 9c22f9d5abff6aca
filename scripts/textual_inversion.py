"""The extension's entry in the WebUI: one tab. The only code that Reload UI runs again; the rest stays imported."""

from __future__ import annotations

import html

import gradio as gr
from modules import script_callbacks

# The WebUI has our folder on the path while it loads this file, whatever the folder's name; modules that are imported
# later are found through the package.
try:
    import lib_ti  # noqa: F401
except ImportError as error:
    PROBLEM = str(error)
else:
    PROBLEM = ""

# The fields of the txt2img tab by the names that the tab knows them by.
TXT2IMG = {
    "txt2img_prompt": "prompt",
    "txt2img_neg_prompt": "negative_prompt",
    "txt2img_steps": "steps",
    "txt2img_sampling": "sampler",
    "txt2img_scheduler": "scheduler",
    "txt2img_cfg_scale": "cfg_scale",
    "txt2img_seed": "seed",
    "txt2img_width": "width",
    "txt2img_height": "height",
}
found: dict[str, gr.components.Component] = {}


def keep(component, **options):
    name = TXT2IMG.get(options.get("elem_id"))
    if name:
        found[name] = component


def tabs():
    try:
        if PROBLEM:
            raise ImportError(PROBLEM)
        from lib_ti.host import webui
        from lib_ti.ui.tab import build

        page = build(webui.WebUIHost(), txt2img=found, beginnings=webui.beginnings(), **webui.preview_choices())
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs in the tab and not only in the console
        page = explain(error)
    return [(page, "Textual Inversion", "ti_tab")]


def settings():
    if not PROBLEM:
        from lib_ti.host import webui_settings

        webui_settings.register(gr.Radio, gr.Slider)


def explain(error):
    reason = html.escape(f"{type(error).__name__}: {error}")
    with gr.Blocks(analytics_enabled=False) as page:
        gr.HTML(f"<p>The tab could not be built. {reason}</p><p>Update the extension, then restart the WebUI.</p>")
    return page


script_callbacks.on_ui_settings(settings)
script_callbacks.on_after_component(keep)
script_callbacks.on_ui_tabs(tabs)
