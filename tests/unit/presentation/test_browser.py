"""The page in a browser, if there is one: its scripts run, nothing is wrong, pictures are drawn and tables sort."""

import json
import re
import shutil
import subprocess

import pytest

from mtbridge.presentation.page import build
from mtbridge.study.outline import read_outline
from tests.support.presentation import presentation_study
from tests.unit.presentation.test_page import TASKS, TEMPLATE

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BROWSER, reason="no chromium on this machine")]


def dump(page, tmp_path, width=1280) -> tuple[str, list[str]]:
    """The document of a page after its scripts have run, and the errors that they reported."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900", "--enable-logging=stderr"]
    options += [f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=60000", "--dump-dom"]
    done = subprocess.run(
        [BROWSER, *options, f"file://{page}"], capture_output=True, text=True, timeout=300, check=True
    )
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line and "WARN Dropping" not in line]
    return done.stdout, errors


@pytest.mark.parametrize("width", [375, 1280])
def test_pictures_are_drawn_and_tables_sort_without_an_error_or_a_request(report_values, tmp_path, width):
    page = tmp_path / "index.html"
    page.write_text(build.render(report_values, TEMPLATE), encoding="utf-8")
    shown, errors = dump(page, tmp_path, width)
    assert not errors, errors
    assert re.search(r'<html[^>]*data-ready="yes"', shown), "every picture that can be seen is drawn"
    assert shown.count("dt-container") >= 3 and "Find in this table" in shown
    drawn = re.findall(r'class="picture[^"]*vega-embed[^"]*"', shown)
    assert len(drawn) > 8 and shown.count("<svg") > len(drawn)


def test_long_tables_have_their_rows_and_what_stands_in_a_cell_is_text(report_results, tmp_path):
    folder, _ = report_results
    study = presentation_study(tasks=(TASKS[0], TASKS[5], TASKS[7]))
    evil = "<img src=x onerror=\"document.title='changed'\"> & co"
    study["models"][0]["label"] = evil
    page = tmp_path / "index.html"
    build.write(folder, read_outline(json.dumps(study)), ["sound"], TEMPLATE, page)
    shown, errors = dump(page, tmp_path)
    assert not errors and "<title>mtbridge: synthetic</title>" in shown
    bodies = re.findall(r'<table class="grid[^>]*>.*?<tbody>(.*?)</tbody>', shown, re.S)
    rows = [body.count("<tr") for body in bodies]
    assert len(rows) >= 3 and all(0 < number <= 20 for number in rows), rows
    assert any("&lt;img src=x" in body for body in bodies) and "<img src=x" not in shown.replace("&lt;", "&lt")
    assert any(re.search(r'<button type="button" popovertarget="[^"]+">', body) for body in bodies)
