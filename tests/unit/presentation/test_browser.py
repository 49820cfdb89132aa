"""The page in a browser, if there is one: its scripts run, nothing is wrong, pictures are drawn and tables sort."""

import re
import shutil
import subprocess

import pytest

from mtbridge.presentation.page import build
from tests.unit.presentation.test_page import TEMPLATE, report_results, report_values  # noqa: F401

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BROWSER, reason="no chromium on this machine")]


@pytest.mark.parametrize("width", [375, 1280])
def test_pictures_are_drawn_and_tables_sort_without_an_error_or_a_request(report_values, tmp_path, width):  # noqa: F811
    page = tmp_path / "index.html"
    page.write_text(build.render(report_values, TEMPLATE), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900", "--enable-logging=stderr"]
    options += [f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=60000", "--dump-dom"]
    done = subprocess.run(
        [BROWSER, *options, f"file://{page}"], capture_output=True, text=True, timeout=300, check=True
    )
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line and "WARN Dropping" not in line]
    assert not errors, errors
    shown = done.stdout
    assert re.search(r'<html[^>]*data-ready="yes"', shown), "every picture that can be seen is drawn"
    assert shown.count("dt-container") >= 3 and "Find in this table" in shown
    drawn = re.findall(r'class="picture[^"]*vega-embed[^"]*"', shown)
    assert len(drawn) > 8 and shown.count("<svg") > len(drawn)
