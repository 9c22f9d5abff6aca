"""The tab "Textual Inversion": Start, and four sub-tabs in the order of work, for any host.

Only API common to Gradio 3.41.2 and 4.40 is used: inputs as a set, ``gr.update``, no script in events. A page is
refreshed by the visible Refresh button, which ``javascript/textual_inversion.js`` presses during a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from lib_ti.host.base import Host
from lib_ti.ui.activity import actions as activity_actions
from lib_ti.ui.activity import page as activity_page
from lib_ti.ui.controller import Controller
from lib_ti.ui.create import actions as create_actions
from lib_ti.ui.create import page as create_page
from lib_ti.ui.dataset import page as dataset_page
from lib_ti.ui.parts import Parts
from lib_ti.ui.results import actions as results_actions
from lib_ti.ui.results import page as results_page
from lib_ti.ui.start import actions as start_actions
from lib_ti.ui.start import page as start_page
from lib_ti.ui.train import actions as train_actions
from lib_ti.ui.train import page as train_page
from lib_ti.ui.widgets import boxes
from lib_ti.ui.widgets.folder_browser import actions as folder_actions
from lib_ti.ui.widgets.folder_browser import page as folder_page

TITLE = "Textual Inversion"
SAMPLERS = (
    *("Euler a", "Euler", "DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 2S a", "DPM++ 3M SDE"),
    *("Heun", "DPM2", "DPM2 a", "LCM", "DDIM"),
)
SCHEDULERS = (
    *("Automatic", "Uniform", "Karras", "Exponential", "Polyexponential", "SGM Uniform", "KL Optimal", "Simple"),
    *("Normal", "DDIM"),
)


def build(
    host: Host,
    *,
    txt2img: Mapping[str, Any] | None = None,
    samplers: Sequence[str] = SAMPLERS,
    schedulers: Sequence[str] = SCHEDULERS,
    dataset: str = "",
    defaults: Mapping[str, Any] | None = None,
    **options: Any,
) -> gr.Blocks:
    """Build the tab for a host.

    Parameters
    ----------
    txt2img
        The WebUI's txt2img components by ``prompt``, ``negative_prompt``, ``steps``, ``sampler``, ``scheduler``,
        ``cfg_scale``, ``seed``, ``width`` and ``height``, as many as exist; None without such a tab.
    samplers, schedulers
        Choices for previews.
    dataset
        Default folder of images.
    defaults
        Defaults that replace those of the settings: ``log_directory``, ``file_format``; and ``seconds`` between two
        refreshes during a run.
    options
        Options of ``gr.Blocks``, for a page of its own.
    """
    with gr.Blocks(analytics_enabled=False, title=TITLE, **options) as blocks:
        parts = Parts(Controller(host), dict(txt2img or {}), tuple(samplers), tuple(schedulers), dict(defaults or {}))
        with gr.Tabs(elem_id="ti_tabs") as parts.tabs:
            folder_page.layout(parts)
            activity_page.layout(parts)  # within the tabs too, and below their titles whichever is open
            with gr.Tab("Start", id="start", elem_id="ti_tab_start"):
                start_page.layout(parts)
            with gr.Tab("Dataset", id="dataset", elem_id="ti_tab_dataset") as opened:
                parts.keep("dataset_tab", opened)
                dataset_page.layout(parts)
            with gr.Tab("Create", id="create", elem_id="ti_tab_create"):
                create_page.layout(parts)
            with gr.Tab("Train", id="train", elem_id="ti_tab_train") as opened:
                parts.keep("train_tab", opened)
                train_page.layout(parts)
            with gr.Tab("Results", id="results", elem_id="ti_tab_results") as opened:
                parts.keep("results_tab", opened)
                results_page.layout(parts)
                boxes.layout(parts)  # within the tabs, to which the style sheet is limited
        parts["dataset_folder"].value = parts.train["dataset"].value = parts.make["images"].value = dataset
        folder_actions.connect(parts)
        for actions in (activity_actions, start_actions, dataset_page, create_actions, train_actions, results_actions):
            actions.connect(parts)
        boxes.connect(parts)
        activity_actions.on_load(blocks, parts)
        dataset_page.on_load(blocks, parts)
        create_actions.on_load(blocks, parts)
        start_actions.on_load(blocks, parts)
        train_actions.on_load(blocks, parts)
        results_actions.on_load(blocks, parts)
    for block in blocks.blocks.values():
        # The WebUI would save these values to ui-config.json, and users would never get new defaults.
        block.do_not_save_to_config = True
    return blocks
