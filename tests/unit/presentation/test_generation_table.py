"""The table of what models write: the measures of a task's kind, what cannot be told, and what was cut."""

import json

import pandas as pd

from mtbridge.inference.generation import COLUMNS, ENGLISH, FAULTS, MEASURES, REFERENCE, ZERO_SHOT
from mtbridge.presentation.tables.generation import body
from mtbridge.presentation.ways import way_labels
from mtbridge.study.outline import read_outline
from tests.support.presentation import presentation_study

METRICS = {"event": "chrf", "qa": "f1", "xquad": "f1_characters", "answers": "exact_answer"}


def shown(cut=0.0):
    """Blocks and notes of a study whose every measure has a value of its own."""
    about = {"languages": ["de", "en"]}
    tasks = [{"name": name, "label": name, "metric": metric, **about} for name, metric in METRICS.items()]
    outline = read_outline(json.dumps({**presentation_study(), "writing": tasks}))
    rows = []
    names = (*MEASURES, *FAULTS, REFERENCE)
    for task in METRICS:
        for number, measure in enumerate(names):
            for statistic in (ENGLISH, ZERO_SHOT):
                value = cut if measure == "input_cut" else number + (0.5 if statistic == ENGLISH else 0)
                row = {"recipe": "full-0.001", "way": "full", "method": "full", "learning_rate": 1e-3, "model": "mbart"}
                row |= {"task": task, "measure": measure, "statistic": statistic, "value": value, "low": value}
                row |= {"high": value, "df": 1, "pretrainings": 1, "seeds": 2, "n": 10, "dev": 1.0, "chosen": True}
                rows.append(row)
    return body(pd.DataFrame(rows)[COLUMNS], outline, "sound"), names


def column(block, heading):
    return block.rows[0][block.header.index(heading)].text


def test_answers_are_shown_by_squads_measures_and_texts_by_theirs():
    (blocks, notes), names = shown()
    assert [block.title for block in blocks] == list(METRICS)
    assert "chrF, English" in blocks[0].header and not any(heading.startswith("F1") for heading in blocks[0].header)
    for block in blocks[1:]:
        assert column(block, "F1, zero-shot") == f"{names.index('f1'):.1f}"
        assert column(block, "F1 of characters, English") == f"{names.index('f1_characters') + 0.5:.1f}"
        assert column(block, "exact answer, zero-shot") == f"{names.index('exact_answer'):.1f}"
        assert "chrF, English" not in block.header
    assert any("Of several accepted answers the best counts" in note for note in notes)


def test_what_cannot_be_told_and_what_was_cut_are_shown():
    (blocks, notes), names = shown(cut=12.5)
    assert column(blocks[1], "cannot be told, zero-shot") == f"{names.index('untold'):.1f}"
    assert any("Inputs cut at the limit of length: event 12.5 %, qa 12.5 %" in note for note in notes)
    assert not any("Inputs cut" in note for note in shown()[0][1])


def test_a_way_is_called_by_its_method_and_what_it_learns_from():
    settings = {
        "prompt": {"method": "prompt"},
        "mixed": {"method": "full", "mixed": 0.2},
        "some": {"method": "full", "languages": ["en", "de"]},
        "narrow": {"method": "lora", "width": 4},
        "wide": {"method": "lora", "width": 8},
        "translate-test": {"method": "full", "translator": "m2m"},
    }
    study = presentation_study()
    study["writing"] = [{"name": "event", "metric": "chrf", "languages": ["de", "en", "fr"], "label": "event"}]
    study["adaptations"] = {f"{way}-0.1": {"way": way, **about} for way, about in settings.items()}
    assert way_labels(read_outline(json.dumps(study))) == {
        "prompt": "soft prompt",
        "mixed": "all weights; 20 % text of other languages",
        "some": "all weights; examples in en, de",
        "narrow": "LoRA (narrow)",
        "wide": "LoRA (wide)",
        "translate-test": "translate-test",
    }
