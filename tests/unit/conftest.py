"""Fixtures that tests of several rooms share."""

import json

import pytest

from tests.support.presentation import TASKS, presentation_study, write_study


@pytest.fixture(scope="session")
def presentation_results(tmp_path_factory):
    """(results folder, study as a dict, study as JSON text) of a small whole study."""
    study = presentation_study(tasks=(TASKS[0], TASKS[5], TASKS[7]))
    folder = write_study(tmp_path_factory.mktemp("results"), study)
    return folder, study, json.dumps(study)
