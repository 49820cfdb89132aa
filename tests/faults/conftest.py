"""The smoke study with two seeds and a task of writing, undisturbed: what every disturbed one is compared with."""

import pytest

from tests.support.kills import marked
from tests.workflow.conftest import Project

STUDY = (
    "seeds=[1,2]",
    "checkpoint_minutes=0.01",
    "tasks=[nc,pos,event]",
    "task_catalog={event: {kind: generation, metric: chrf, columns: [text]}}",
    "adaptations={full: {epochs: 1, rates: [1.0e-3]}}",
    "decoding={longest: 12}",
)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Project:
    made = marked(tmp_path_factory.mktemp("undisturbed"))
    made.snakemake(config=STUDY)
    return made
