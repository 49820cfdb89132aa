"""Benchmarks: every contender does the same work, in a trial of seconds, and the report says what was measured."""

import json
import math

import pytest
import torch
from benchmarks import run
from benchmarks.work import Work


@pytest.fixture
def trial(tmp_path, monkeypatch, capsys):
    """Run quick trials of one work: a function of its key and more options, to (record, Markdown)."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    def go(key, *options):
        (tmp_path / "temporary").mkdir(exist_ok=True)
        where = ["--folder", tmp_path / "temporary", "--output", tmp_path / "results", "--machine", "Here, now"]
        try:
            run.main(["--quick", "--only", key, *map(str, where), *options])
        finally:
            assert not list((tmp_path / "temporary").iterdir())
        text = (tmp_path / "results/here-now.md").read_text()
        assert text in capsys.readouterr().out
        return json.loads((tmp_path / "results/here-now.json").read_text())["works"][key], text

    return go


@pytest.mark.parametrize("key", run.WORKS)
def test_contenders_find_the_same_in_a_quick_trial(trial, monkeypatch, key):
    """The trial stops by itself where they do not: values of CKA, norms and distances, numbers of steps and tokens."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})  # emulated where it is not so
    record, text = trial(key)
    assert list(record["runs"]) == list(run.WORKS[key].contenders)
    for name, runs in record["runs"].items():
        assert len(runs) == run.WORKS[key].often and runs[0]["seconds"] > 0
        assert f"| {name} |" in text
    if key.startswith("finetuning"):
        assert f"goes in {record['sizes']['precision']}, {record['sizes']['lengths']} (" in text
        phases = record["profile"]["phases"]
        assert set(phases) > {"forward", "backward", "clip", "optimizer"}
        assert all(share > 0 for share in phases.values()) and math.isclose(sum(phases.values()), 1)
        assert record["profile"]["steps"] == 3 and len(record["profile"]["operators"]) > 5


def fake(monkeypatch, tolerance=0.0, often=1, **runs):
    """A work whose contenders report given (seconds, value), a pair a round; returns the list of whose turn it was."""
    turns = []

    def contender(name):
        def report(folder, sizes, clock):
            turns.append(name)
            seconds, value = runs[name][turns.count(name) - 1]
            return {"seconds": seconds, "values": [value], "rate": 1000 / seconds, "unit": "things/s"}

        return report

    contenders = {name: contender(name) for name in runs}
    made = Work("fake of {n}", contenders, {"n": 7}, {"n": 1}, tolerance=tolerance, often=often)
    monkeypatch.setitem(run.WORKS, "fake", made)
    return turns


def test_order_alternates_and_ratios_are_taken_within_a_round(trial, monkeypatch):
    turns = fake(monkeypatch, ours=[(1.0, 5), (10.0, 5), (2.0, 5)], peer=[(2.0, 5), (30.0, 5), (8.0, 5)])
    _, text = trial("fake", "--rounds", "3")
    assert turns == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert "**fake of 1**" in text
    assert "| ours | 2 (1–10) |  | 500 things/s |" in text
    assert "| peer | 8 (2–30) | 3 (2–4) | 125 things/s |" in text


def test_what_is_short_is_done_more_often_and_says_so(trial, monkeypatch):
    turns = fake(monkeypatch, often=2, ours=[(1.0, 5), (3.0, 5)], peer=[(2.0, 5), (12.0, 5)])
    _, text = trial("fake")
    assert turns == ["ours", "peer", "peer", "ours"]
    assert "**fake of 1, 2 rounds**" in text and "| peer | 7 (2–12) | 3 (2–4) |" in text


@pytest.mark.parametrize("found", [5.1, float("nan")])
def test_contender_that_finds_something_else_stops_the_run(trial, monkeypatch, found):
    fake(monkeypatch, tolerance=0.01, ours=[(1.0, 5.0)], peer=[(1.0, found)])
    with pytest.raises(SystemExit, match="'peer' found other values"):
        trial("fake")


def test_work_that_the_machine_cannot_do_is_left_out_with_a_line(trial, monkeypatch):
    said = []
    monkeypatch.setattr(run, "say", said.append)
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    with pytest.raises(KeyError, match="finetuning-bf16"):  # of the record
        trial("finetuning-bf16")
    assert said[0] == "finetuning-bf16: left out: no bf16 instructions (cpu)"


def test_sizes_can_be_set_and_unknown_ones_are_refused(trial, monkeypatch, capsys):
    fake(monkeypatch, ours=[(1.0, 5)])
    assert trial("fake", "--set", "n=12")[0]["sizes"]["n"] == 12
    with pytest.raises(SystemExit):
        run.main(["--quick", "--only", "fake", "--set", "m=12"])
    assert "'m' is no size" in capsys.readouterr().err
