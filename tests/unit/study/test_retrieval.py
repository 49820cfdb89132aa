"""Pairs for retrieval: which languages and files a study takes, what it refuses, what depends on it."""

import json

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.presentation import requirements
from mtbridge.study.grid import Study
from mtbridge.study.load import load
from mtbridge.study.options import Options
from mtbridge.study.outline import read_outline


@pytest.fixture
def pairs(tmp_path):
    """Pairs of German and French, none of Russian."""
    for name in ("de-en.de", "de-en.en", "en-fr.fr", "en-fr.en"):
        (tmp_path / name).write_text("a\n")
    return tmp_path


def study(**given) -> Study:
    return Study(load({"study": "smoke", "retrieval": given}))


def test_without_pairs_translations_are_looked_for_among_aligned_lines():
    assert study().corpora_of_retrieval == ["parallel"]
    assert study().retrieval() == ["results/smoke/retrieval/mbart.parquet", "results/smoke/retrieval/mbart-m2m.parquet"]
    assert "retrieval_depth" not in json.loads(Options(study()).outline()), "views of other studies would be stale"


def test_a_study_of_generation_alone_looks_only_among_pairs_that_it_names(pairs):
    settings = {"study": "generation-mini"}
    assert not requirements.retrieves(Study(load(settings)))
    assert requirements.retrieves(Study(load({**settings, "retrieval": {"folder": str(pairs), "languages": ["de"]}})))


def test_languages_are_those_that_the_folder_has(pairs):
    found = study(folder=str(pairs))
    assert found.bitexts == {"bitext-de": "de", "bitext-fr": "fr"}
    assert found.languages_of("bitext-fr") == ["en", "fr"]
    options = Options(found)
    assert options.bitext_files("bitext-fr") == [str(pairs / "en-fr.fr"), str(pairs / "en-fr.en")]
    before = options.bitext_content("bitext-fr"), options.bitext_content("bitext-de")
    (pairs / "en-fr.en").write_text("b\n")
    after = options.bitext_content("bitext-fr"), options.bitext_content("bitext-de")
    assert before[0] != after[0] and before[1] == after[1]


def test_pairs_of_the_hub_are_held_to_the_lock_file_of_the_preset_that_names_them():
    options = Options(Study(load({"study": "open"})))
    words = options.bitext("bitext-de")
    assert words[words.index("--lock") + 1].endswith("workflow/studies/open.lock.json")
    assert options.bitext_files("bitext-de") == []
    assert "yo" not in options.study.bitexts.values()


def test_depth_and_licence_change_views_alone(pairs):
    changed = study(folder=str(pairs), depth=0.5, licence="CC0")
    plain = study(folder=str(pairs))
    assert Options(changed).bitext("bitext-de") == Options(plain).bitext("bitext-de")
    outline = read_outline(Options(changed).outline())
    assert (outline.retrieval_depth, outline.retrieval_licence) == (0.5, "CC0")


@pytest.mark.parametrize(
    "given, message",
    [
        ({"languages": ["de"]}, "retrieval.languages: belongs to pairs of your own"),
        ({"folder": "{pairs}", "source": {"kind": "datasets", "path": "x"}}, "`folder` says it too"),
        ({"folder": "{pairs}/none"}, "none is no folder"),
        ({"folder": "{pairs}", "languages": ["ru"]}, "has no pairs of 'ru'; expected files like ru-en.ru and ru-en.en"),
        ({"folder": "{pairs}", "languages": ["en"]}, "'en' is the source language"),
        ({"folder": "{pairs}", "languages": ["de", "de"]}, "names 'de' twice"),
        ({"folder": "{pairs}", "depth": 1.5}, "retrieval.depth"),
        ({"source": {"kind": "squad", "path": "x"}}, "'squad' holds examples of tasks"),
        ({"source": {"kind": "datasets"}}, "path: is missing"),
        ({"source": {"kind": "datasets", "path": "a/b"}}, "nothing tells the languages apart"),
        ({"source": {"kind": "datasets", "path": "{pairs}/{language}.tsv"}}, "de.tsv: no such file"),
        (
            {"source": {"kind": "datasets", "path": "a/{language}", "columns": {"text": "b", "translation": "b"}}},
            "source.columns: both sides of a pair are one column",
        ),
        (
            {"source": {"kind": "datasets", "path": "a/{language}", "columns": {"txt": "b"}}},
            "'txt' is no column of a pair; did you mean 'text'",
        ),
        (
            {"source": {"kind": "datasets", "path": "a/{language}", "languages": {"de": "x", "fr": "x"}}},
            "'de' and 'fr' are both 'x'",
        ),
        ({"source": {"kind": "datasets", "path": "x", "language_colum": "a"}}, "did you mean 'language_column'"),
    ],
)
def test_what_are_no_pairs_is_refused_in_one_line(pairs, given, message):
    given = json.loads(json.dumps(given).replace("{pairs}", str(pairs)))
    with pytest.raises(MtbridgeError, match=message) as caught:
        study(**given)
    assert "\n" not in str(caught.value)
