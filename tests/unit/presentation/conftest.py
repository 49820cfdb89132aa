"""Results with all their tables and figures, and what the page says of them; both are read and never changed."""

import shutil

import pytest

from mtbridge.presentation import catalog
from mtbridge.presentation.page import build
from mtbridge.study.outline import read_outline
from tests.support.presentation import write_shown


@pytest.fixture(scope="session")
def report_results(presentation_results, tmp_path_factory):
    """A copy of the results with tables and figures made, under the protocols sound and paper."""
    source, _, study = presentation_results
    folder = tmp_path_factory.mktemp("report") / "mini"
    shutil.copytree(source, folder)
    outline = read_outline(study)
    write_shown(folder, outline, "sound", "", catalog.ENTRIES, layers=1)
    write_shown(folder, outline, "paper", "paper/", [catalog.find("table1"), catalog.find("figure2")], layers=1)
    return folder, outline


@pytest.fixture(scope="session")
def report_values(report_results):
    return build.gather(*report_results, ["sound", "paper"])
