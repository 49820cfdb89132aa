"""A small sequence-to-sequence model of each family that writes, and examples whose target is the first word."""

import pytest

from tests.support.writing import make_place


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("generation"))
