"""Layout of the step Captions."""

from __future__ import annotations

import gradio as gr

from lib_ti.config import CaptionConfig
from lib_ti.prep.captions.token_budget import HINTS
from lib_ti.ui.dataset.captions import view
from lib_ti.ui.dataset.captions.bulk_changes import ACTIONS
from lib_ti.ui.dataset.captions.query import ALL, SHOWN
from lib_ti.ui.dataset.captions.service import LABEL
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.form import Form, dropdown

REGEX, WHOLE, CASE, LACKING = "Regex", "Whole words", "Match case", "Without it"
TAGS, WORDS = "Tags", "Words"
_ROWS = (
    ("captioner", "existing"),
    ("prefix", "suffix"),
    ("blacklist", "batch_size"),
    ("tag_threshold", "character_threshold", "tag_spaces"),
)
_LINES = 6


def layout(parts: Parts) -> None:
    parts.html("captions_message")
    with gr.Accordion("Generate captions with a model", open=False) as model:
        parts.keep("captions_model", model)
        form = parts.caption = Form(CaptionConfig, "ti_caption", overrides={"captioner": dropdown()})
        for row in _ROWS:
            with gr.Row():
                form.add(*row)
        parts.button("captions_generate", "Generate captions", variant="primary")
        parts.html("captions_result")
    with gr.Column(visible=False) as editor:
        parts.keep("captions_editor", editor)
        _editor(parts)
        _bulk_changes(parts)


def advanced(parts: Parts) -> None:
    """Lay out the choice of another folder, which needs no prepared one."""
    with gr.Accordion("Advanced", open=False, elem_id="ti_captions_advanced"), gr.Row(elem_classes="ti-line"):
        field = parts.keep(
            "captions_folder",
            gr.Textbox(
                label=LABEL,
                info="Empty: the prepared folder. Captions only change when you save or generate them.",
                max_lines=1,
                elem_id="ti_captions_folder",
                scale=5,
            ),
        )
        parts.browse(field)
        parts.button("captions_open", "Open", scale=1)


def _editor(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=4, min_width=300):
            parts.html("captions_image")
        with gr.Column(scale=4, min_width=300):
            _text(parts)
        with gr.Column(scale=4, min_width=300):
            _list(parts)


def _text(parts: Parts) -> None:
    parts.keep("captions_shown", gr.Textbox("", elem_id="ti_captions_shown", elem_classes="ti-hidden"))
    parts.keep(
        "captions_text",
        gr.Textbox(
            label="Caption",
            info="What the image shows, in one line. Ctrl+Enter or Alt+↓: next image; Alt+↑: previous image.",
            lines=_LINES,
            max_lines=_LINES,
            elem_id="ti_captions_text",
        ),
    )
    parts.html("captions_length")
    with gr.Row(elem_classes="ti-buttons ti-turn"):
        parts.button("captions_previous", "← Previous", size="sm", min_width=60)
        parts.keep(
            "captions_position",
            gr.Textbox(
                label="Number or name of an image",
                show_label=False,
                placeholder="Number or name",
                max_lines=1,
                elem_id="ti_captions_position",
                container=False,
                min_width=60,
            ),
        )
        parts.button("captions_next", "Next →", size="sm", min_width=60)
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("captions_undo", "Undo", size="sm")
        parts.button("captions_redo", "Redo", size="sm")
        parts.button("captions_save", "Save", variant="primary", size="sm")
    parts.html("captions_notice")
    parts.html("captions_state")
    with gr.Row(elem_classes="ti-buttons", visible=False) as resolve:
        parts.keep("captions_resolve", resolve)
        parts.button("captions_keep_mine", "Keep mine", size="sm")
        parts.button("captions_use_disk", "Use the files on disk", size="sm")
    parts.html("captions_hints", view.hints(HINTS))


def _list(parts: Parts) -> None:
    with gr.Row():
        parts.keep(
            "captions_find",
            gr.Textbox(
                label="Find",
                info="Lists matching captions.",
                max_lines=1,
                elem_id="ti_captions_find",
                scale=3,
                min_width=120,
            ),
        )
        parts.keep(
            "captions_show",
            gr.Dropdown(
                list(SHOWN),
                value=ALL,
                label="Show",
                info="Limits the list.",
                elem_id="ti_captions_show",
                scale=2,
                min_width=100,
            ),
        )
    parts.keep(
        "captions_options",
        gr.CheckboxGroup(
            [REGEX, WHOLE, CASE, LACKING], label="How to find", show_label=False, elem_id="ti_captions_options"
        ),
    )
    parts.html("captions_list")
    parts.keep("captions_pick", gr.Textbox("", elem_id="ti_captions_pick", elem_classes="ti-hidden"))
    with gr.Accordion("Frequency of tags and words", open=False):
        parts.keep(
            "captions_count",
            gr.Radio([TAGS, WORDS], value=TAGS, label="Count", show_label=False, elem_id="ti_captions_count"),
        )
        parts.html("captions_counts")


def _bulk_changes(parts: Parts) -> None:
    with gr.Accordion("Change all listed captions at once", open=False):
        with gr.Row(elem_classes="ti-columns"):
            with gr.Column(scale=2, min_width=300):
                _replacing(parts)
            with gr.Column(scale=3, min_width=300):
                _tagging(parts)
        parts.html("captions_changes")
        parts.button("captions_apply", "Apply", variant="primary", visible=False)
        parts.keep("captions_pending", gr.State(None))


def _replacing(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-line"):
        parts.keep(
            "captions_replacement",
            gr.Textbox(
                label="Replace matches by",
                info="Empty: delete them. Regex groups: \\1, \\2.",
                max_lines=1,
                elem_id="ti_captions_replacement",
                scale=3,
            ),
        )
        parts.button("captions_replace", "Preview", scale=1)


def _tagging(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-line"):
        parts.keep(
            "captions_action",
            gr.Dropdown(
                list(ACTIONS),
                value=ACTIONS[0],
                label="Tag action",
                info="What to do with tags.",
                elem_id="ti_captions_action",
                scale=2,
            ),
        )
        parts.keep(
            "captions_tags",
            gr.Textbox(
                label="Tags",
                info="Comma-separated; not used for sorting.",
                max_lines=1,
                elem_id="ti_captions_tags",
                scale=2,
            ),
        )
        parts.button("captions_tag_changes", "Preview", scale=1)
