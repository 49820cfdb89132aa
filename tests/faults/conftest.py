"""The smoke study with two seeds, which nothing disturbs: what every disturbed one is compared with."""

import pytest

from tests.support.kills import marked
from tests.workflow.conftest import Project

STUDY = ("seeds=[1,2]", "checkpoint_minutes=0.01")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Project:
    made = marked(tmp_path_factory.mktemp("undisturbed"))
    made.snakemake(config=STUDY)
    return made
