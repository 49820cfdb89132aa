"""Retrieval: closed forms, a matrix by hand in both directions, sentences that stand in several lines."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.generation.scores import Identifier
from mtbridge.representations.retrieval import (
    CENTRED,
    COLUMNS,
    RAW,
    chance,
    check_sides,
    found,
    measure,
    retrieval,
    translations_of,
)

DISTINCT = lambda n: [f"sentence {row}" for row in range(n)]


def random_states(n=60, dim=16, layers=1, seed=0) -> torch.Tensor:
    return torch.randn(layers, n, dim, generator=torch.Generator().manual_seed(seed))


def values(frame, measure=RAW) -> list[float]:
    return list(frame[frame["measure"] == measure]["value"])


def test_equal_states_of_translations_find_all_of_them():
    states = random_states(layers=3)
    frame = measure((states, states), (DISTINCT(60), DISTINCT(60)))
    assert set(frame["value"]) == {1.0} and list(frame["layers"].unique()) == [2]


def test_states_that_are_all_equal_find_nothing():
    states = torch.ones(1, 60, 16)
    assert set(measure((states, states), (DISTINCT(60), DISTINCT(60)))["value"]) == {0.0}


def test_unrelated_states_find_one_in_n():
    n, repeats = 20, 400
    texts = DISTINCT(n), DISTINCT(n)
    mean = np.mean([measure((random_states(n, seed=2 * k), random_states(n, seed=2 * k + 1)), texts)["value"].iloc[0]
                    for k in range(repeats)])  # fmt: skip
    assert mean == pytest.approx(1 / n, abs=4 * (1 / n / (n * repeats)) ** 0.5)
    assert chance(translations_of(*texts)) == pytest.approx(1 / n)


def test_both_directions_of_a_small_matrix_by_hand():
    """Cosines of units in the plane, at these angles: rows are sentences, columns their candidates.

          0°  50°  90°          to: 0° -> 0°, 60° -> 50°, 62° -> 50° and not 90°
    0°    *                     from: 0° -> 0°, 50° -> 60° , 90° -> 62°
    60°        *
    62°              (28° away, 12° from 50°)
    """
    at = lambda *degrees: torch.stack([torch.tensor([np.cos(a), np.sin(a)]) for a in np.deg2rad(degrees)])
    one, other, same = at(0, 60, 62), at(0, 50, 90), torch.eye(3).bool()
    assert found(one, other, same).tolist() == [True, True, False]
    assert found(other, one, same).tolist() == [True, True, True]


def test_rotating_scaling_and_reordering_pairs_change_nothing():
    one = random_states()
    other = one + 0.6 * random_states(seed=1)
    texts = DISTINCT(60), DISTINCT(60)
    before = measure((one, other), texts)
    assert 0 < values(before)[0] < 1
    rotation, _ = torch.linalg.qr(torch.randn(16, 16, generator=torch.Generator().manual_seed(2)))
    order = torch.randperm(60, generator=torch.Generator().manual_seed(3))
    assert values(measure((one @ rotation * 3, other @ rotation), texts)) == values(before)
    assert values(measure((one[:, order], other[:, order]), texts)) == values(before)


def test_an_offset_of_a_language_is_taken_away_by_centring():
    one = random_states()
    other = one + 8.0
    frame = measure((one, other), (DISTINCT(60), DISTINCT(60)))
    assert values(frame, CENTRED) == [1.0]
    assert values(frame, RAW)[0] < 1


def test_any_line_with_the_text_of_the_translation_is_the_translation():
    """Equal texts have equal states up to rounding: which of them is nearer is a matter of chance."""
    candidates = random_states()[0]
    texts = DISTINCT(60)
    texts[1] = texts[0]
    candidates[1] = candidates[0] * 1.0000001
    sentences = candidates.clone()
    assert found(sentences, candidates, translations_of(DISTINCT(60), texts)).all()
    frame = measure((sentences[None], candidates[None]), (DISTINCT(60), texts))
    assert set(frame["repeated"]) == {2} and set(frame["value"]) == {1.0}
    assert frame["null"].iloc[0] == pytest.approx((58 + 2 * 2) / 60**2)


def test_a_sentence_that_stands_in_two_pairs_has_two_translations():
    texts, translations = ["a", "a", "b", "c"], ["x", "y", "y", "z"]
    assert translations_of(texts, translations).tolist() == [
        [True, True, True, False],  # a is beside x and y, and y stands in two lines
        [True, True, True, False],
        [False, True, True, False],
        [False, False, False, True],
    ]
    assert torch.equal(translations_of(texts, translations).T, translations_of(translations, texts))


def test_equal_states_of_translations_find_all_of_them_also_where_sentences_are_repeated():
    states = random_states(n=40)
    states[:, 1], texts = states[:, 0], DISTINCT(40)
    texts[1] = texts[0]
    assert set(measure((states, states), (texts, DISTINCT(40)))["value"]) == {1.0}


def test_chance_with_repeated_texts_is_what_unrelated_states_find():
    texts = ["a"] * 5 + DISTINCT(15)
    same, draw = translations_of(DISTINCT(20), texts), torch.Generator().manual_seed(5)
    hits = [found(*torch.randn(2, 20, 8, generator=draw), same).double().mean() for _ in range(400)]
    assert np.mean(hits) == pytest.approx(chance(same), abs=0.01)


def test_the_interval_is_as_wide_as_that_of_a_share():
    """Over 400 sentences of which 60 % find their translation: ± 1.96 √(.6 · .4 / 400)."""
    from mtbridge.representations import retrieval as module

    hits = torch.zeros(400, dtype=torch.bool)
    hits[:240] = True
    states = random_states(400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "found", lambda *_: hits)
        row = module.measure((states, states), (DISTINCT(400), DISTINCT(400))).iloc[0]
    assert row["high"] - row["value"] == pytest.approx(1.96 * (0.6 * 0.4 / 400) ** 0.5, rel=0.25)


def test_where_all_or_none_are_found_there_is_no_interval():
    texts = DISTINCT(60), DISTINCT(60)
    states = random_states()
    for frame in (measure((states, states), texts), measure((states, states.roll(1, 1)), texts)):
        assert set(frame["value"]) in ({1.0}, {0.0})
        assert frame["low"].isna().all() and frame["high"].isna().all()


def write(folder, states: dict, texts: dict):
    save_file({name: each.contiguous() for name, each in states.items()}, folder / "m.safetensors")
    (folder / "texts").mkdir()
    for name, lines in texts.items():
        (folder / "texts" / f"{name}.txt").write_text("".join(line + "\n" for line in lines))
    return {"pairs": folder / "m.safetensors"}, {"pairs": folder / "texts"}


def test_files_of_several_languages_are_read_to_and_from_the_source_language(tmp_path):
    states = {name: random_states(layers=2, seed=seed) for seed, name in enumerate(("de", "en", "fr"))}
    frame = retrieval(*write(tmp_path, states, dict.fromkeys(states, DISTINCT(60))), "m", "en")
    assert list(frame.columns) == COLUMNS and len(frame) == 2 * 2 * 2 * 2
    assert set(zip(frame["source"], frame["target"], strict=True)) == {
        ("de", "en"), ("en", "de"), ("fr", "en"), ("en", "fr")
    }  # fmt: skip


@pytest.mark.parametrize(
    "states, texts, message",
    [
        ({"de": 60, "en": 60}, {"de": 60, "en": 59}, "60 rows of 'en', but .*en.txt has 59 lines"),
        ({"de": 60, "en": 50}, {"de": 60, "en": 50}, "60 sentences in 'de', 50 in 'en'; expected pairs"),
        ({"en": 60}, {"en": 60}, "has en; expected 'en' and another language"),
        ({"de": 60, "fr": 60}, {"de": 60, "fr": 60}, "has de, fr; expected 'en' and another"),
    ],
)
def test_what_are_no_pairs_is_refused(tmp_path, states, texts, message):
    files = write(
        tmp_path,
        {name: random_states(n) for name, n in states.items()},
        {name: DISTINCT(n) for name, n in texts.items()},
    )
    with pytest.raises(MtbridgeError, match=message):
        retrieval(*files, "m", "en")


def test_sides_that_are_exchanged_are_refused_and_others_are_not():
    german = ["Die Kinder spielen heute im Garten.", "Ihre Mutter liest ein altes Buch über die Berge."] * 12
    english = ["The children are playing in the garden.", "Their mother is reading an old book."] * 12
    identifier = Identifier(["de", "en"])
    check_sides({"de": german, "en": english}, identifier, "folder")
    check_sides({"de": english, "en": english}, identifier, "folder")  # wrong, but not exchanged
    check_sides({"de": english[:2], "en": german[:2]}, identifier, "folder")  # too short to be sure
    with pytest.raises(MtbridgeError, match="folder: the texts of 'de' look like 'en', and those of 'en' like 'de'"):
        check_sides({"de": english, "en": german}, identifier, "folder")
