"""Options of programs, as specifications make and read them."""

import argparse

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.options import add_options, read_options, to_options
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.task import Resampling, Task


def test_options_give_back_what_they_were_made_from():
    recipe = Recipe(pooling="eos", learning_rate=3e-5)
    parser = argparse.ArgumentParser()
    add_options(parser, Recipe)
    assert read_options(parser.parse_args(to_options(recipe)), Recipe) == recipe


def test_an_option_out_of_range_is_told_by_its_name():
    parser = argparse.ArgumentParser()
    add_options(parser, Recipe)
    with pytest.raises(MtbridgeError, match=r"--learning-rate: .*greater than 0, got -1"):
        read_options(parser.parse_args(["--learning-rate", "-1"]), Recipe)


@pytest.mark.parametrize("given", [Resampling(), Resampling(aligned=True, group="premise")])
def test_yes_and_no_pass_as_they_are(given):
    parser = argparse.ArgumentParser()
    add_options(parser, Resampling)
    assert read_options(parser.parse_args(to_options(given)), Resampling) == given


def test_lists_and_nested_lists_pass_as_they_are():
    task = Task("pair", "pair", ("-a", "b c", "'"), "accuracy", ("a", "b", "c"), (("a",), ("b", "c")))
    parser = argparse.ArgumentParser()
    add_options(parser, Task)
    assert read_options(parser.parse_args(to_options(task)), Task) == task
