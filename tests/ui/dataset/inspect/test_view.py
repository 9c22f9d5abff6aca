"""What the step Inspect shows."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from lib_ti.prep.prepared import PreparedFolder
from lib_ti.ui.dataset.inspect import state
from lib_ti.ui.dataset.inspect import view as view_html
from lib_ti.ui.dataset.inspect.columns import (
    COLUMNS,
)
from lib_ti.ui.dataset.inspect.listing import stamp
from lib_ti.ui.dataset.inspect.query import GALLERY, SIDE_BY_SIDE, TABLE
from lib_ti.ui.dataset.inspect.state import Inspection
from tests.ui.dataset.inspect.conftest import CONFIG, NAMES, digests, names, request, seen, task, view


def test_every_image_is_shown_once_and_names_are_text(inspection: Inspection) -> None:
    inspection.decide(digests(inspection, "moon.png"))
    for layout in (GALLERY, TABLE):
        html = view_html.images(view(inspection, layout=layout))
        assert re.findall('data-digest="([0-9a-f]{64})"', html) == [one.digest for one in inspection.images(CONFIG)]
        assert "<script" not in html
        assert html.count('role="switch"') == len(NAMES) - 1
        assert html.count('aria-checked="false"') == 1
        assert "Same file as brick.jpg" in html
        assert html.count("ti-is-excluded") == 2


def test_a_number_is_marked_where_an_issue_is_based_on_it(inspection: Inspection) -> None:
    row = next(row for row in view_html.images(view(inspection, layout=TABLE)).split("<tr") if "moon.png" in row)
    brightness_now = next(column for column in COLUMNS if column.key == "brightness").text(
        seen(inspection, "moon.png").inspected
    )
    assert f'<td class="ti-marked-exclude">{brightness_now}</td>' in row
    assert row.count("ti-marked-") == len({issue.kind for issue in seen(inspection, "moon.png").inspected.issues})


def test_headers_show_how_the_table_is_sorted(inspection: Inspection) -> None:
    html = view_html.images(view(inspection, layout=TABLE, order="most noise first"))
    assert re.findall('aria-sort="([a-z]+)"><button type="button" data-sort="([a-z]+)"', html) == [
        ("descending", "noise")
    ]


def test_complete_groups_are_shown_side_by_side_the_best_first(inspection: Inspection) -> None:
    now = view(inspection, layout=SIDE_BY_SIDE, find="blurry")
    assert names(now.shown) == ["camera 2.jpg", "camera 10.png"]
    html = view_html.images(now)
    assert html.count("<section") == 1
    assert html.index("camera 2.jpg") < html.index("camera 10.png")
    assert html.count("Use only this one") == 2
    # Of equal files there is one to use.
    assert "Use only this one" not in view_html.images(view(inspection, layout=SIDE_BY_SIDE, find="group 1"))


def test_where_nothing_fits_a_sentence_says_so(inspection: Inspection) -> None:
    assert "No image matches “&lt;b&gt;”" in view_html.images(view(inspection, find="<b>"))
    assert "No two images that match “dark” are near-duplicates" in view_html.images(
        view(inspection, find="dark", layout=SIDE_BY_SIDE)
    )


def test_the_summary_has_advice_words_and_what_cannot_be_used(inspection: Inspection) -> None:
    html = view_html.summary(view(inspection, find="dark"))
    assert inspection.report(CONFIG).advice[0] in html
    assert "broken.jpg cannot be used" in html
    assert "7 of 7 images are in use, 0 excluded." in html
    assert re.findall('data-word="([^"]+)" data-find="([^"]*)" aria-pressed="true"', html) == [("dark", "")]
    assert 'data-word="noise" data-find="dark, noise" aria-pressed="false"' in html
    assert 'data-word="shaken"' not in html


def test_other_folders_in_the_fields_are_remarked(inspection: Inspection) -> None:
    assert view(inspection).remark == ""
    assert view(inspection, output=" ").remark == ""
    assert view(inspection, source="", output="").remark.endswith("which was inspected last.")
    assert "press “Inspect”" in view(inspection, source="", output="elsewhere").remark
    assert "press “Inspect”" in view(inspection, source="elsewhere").remark
    assert "press “Inspect”" in view_html.summary(view(inspection, output="elsewhere"))


def test_a_page_is_updated_when_something_changed_and_only_then(inspection: Inspection) -> None:
    first = stamp(inspection, request(inspection))
    assert stamp(inspection, request(inspection)) == first
    assert stamp(inspection, request(inspection, find="dark")) != first
    assert stamp(inspection, request(inspection, config=replace(CONFIG, dark=5))) != first
    inspection.decide(digests(inspection, "moon.png"))
    assert stamp(inspection, request(inspection)) != first


def test_an_empty_folder_is_reported(tmp_path: Path, folder: PreparedFolder) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    inspection = state.inspect(empty, folder, CONFIG, task())
    assert "There is no readable image here" in view_html.summary(view(inspection))
    assert "img" not in view_html.images(view(inspection))


def test_answers_carry_the_number_of_the_message() -> None:
    assert 'data-saved="7"' in view_html.saved("7")
    refused = view_html.refused('"7', "no")
    assert 'data-saved="&quot;7"' in refused
    assert 'data-failed="yes"' in refused
