import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet
from mtbridge.presentation import catalog, making
from mtbridge.presentation.figures import figure1, figure2, sheet, style
from mtbridge.representations.similarity import matching_layer
from mtbridge.study.outline import read_outline
from tests.support.presentation import MODELS, outline_of


@pytest.fixture(scope="module")
def figures_inputs(presentation_results):
    folder, _, study = presentation_results
    similarities = [
        read_parquet(folder / "cka" / f"{name}.parquet").query("layer < 3") for name in ("models", "languages")
    ]
    return read_outline(study), dict(zip((1, 2), similarities, strict=True))


@pytest.fixture(scope="module")
def drawings(figures_inputs):
    """(number, protocol) -> (figure, frame)"""
    outline, similarity = figures_inputs
    return {
        (number, protocol): draw(number, outline, similarity[number], protocol)
        for number in (1, 2)
        for protocol in ("sound", "paper")
    }


def cells_of(number, outline, similarity, protocol="sound"):
    """A figure's frame, from similarities in memory."""
    module = {1: figure1, 2: figure2}[number]
    return module.cells(outline, protocol, sheet.select(similarity, outline, protocol, "similarities"))


def draw(number, outline, similarity, protocol):
    """(figure, frame) of similarities in memory."""
    frame = cells_of(number, outline, similarity, protocol)
    return making.draw(catalog.find(f"figure{number}"), frame, outline, protocol), frame


def test_panels_of_retrieval_share_a_range_that_holds_all_values(presentation_results):
    folder, _, study = presentation_results
    outline, entry = read_outline(study), catalog.find("retrieval_layers")
    frame = making.make(entry, outline, "sound", folder / entry.inputs)
    higher = frame["measure"] == "retrieval_centred"
    frame.loc[higher, ["value", "low", "high"]] = 0.9
    low, high = making.draw(entry, frame, outline, "sound").axes[0].get_ylim()
    assert low == 0 and high > 90


def written(figure):
    """The numbers that a picture shows, as text, over all its panels."""
    pattern = re.compile(r"^(−?\.\d\d|1\.0)$")
    return sorted(text.get_text() for ax in figure.axes for text in ax.texts if pattern.match(text.get_text()))


@pytest.mark.parametrize("protocol", ["sound", "paper"])
@pytest.mark.parametrize("number", [1, 2])
def test_csv_is_all_that_the_picture_draws(drawings, number, protocol):
    figure, frame = drawings[number, protocol]
    assert written(figure) == sorted(sheet.cka_text(value) for value in frame["value"].dropna())
    assert set(frame["estimator"]) == {"debiased" if protocol == "sound" else "biased"}
    assert {"value", "low", "high", "null", "n"} <= set(frame.columns)


def test_values_reach_their_cells(figures_inputs):
    outline, similarity = figures_inputs
    frame = cells_of(1, outline, similarity[1])
    source = similarity[1].query("estimator == 'debiased' and layer == 2 and language == 'fr'")
    row = source.query("model_a == 'mbart' and model_b == 'mbart-dn'").iloc[0]
    shown = frame.query("model_row == 'mbart' and model_column == 'mbart-dn' and layer == 2 and language == 'fr'").iloc[
        0
    ]
    assert shown[["value", "low", "high"]].tolist() == row[["value", "low", "high"]].tolist()
    # Stored the other way round it is the same comparison.
    swapped = similarity[1].rename(columns={"model_a": "model_b", "model_b": "model_a"})
    pd.testing.assert_frame_equal(frame, cells_of(1, outline, swapped))


def test_lower_triangle_is_the_first_model_and_upper_the_second(figures_inputs):
    outline, similarity = figures_inputs
    frame = cells_of(2, outline, similarity[2])
    part = frame.query("pair == 0 and layer == 1")
    matrix, missing = figure2.triangles(part, ["de", "en", "es", "fr", "ru"])
    lower = part.query("model == 'mbart' and language_a == 'de' and language_b == 'fr'")["value"].item()
    upper = part.query("model == 'mbart-m2m' and language_a == 'de' and language_b == 'fr'")["value"].item()
    assert (matrix[3, 0], matrix[0, 3]) == (lower, upper)
    assert np.isnan(np.diag(matrix)).all() and not missing.any()


def test_rows_columns_and_pairs_are_the_papers_with_controls_behind():
    outline = outline_of()
    published = [("mbart", "mbart-m2m"), ("mbart-m2o", "mbart-o2m"), ("mbert", "xlmr")]
    assert figure2.pairs(outline, "paper") == published
    assert figure2.pairs(outline, "sound") == [*published, ("mbart-dn", "random"), ("nllb-600m",)]
    alone = outline_of(models=[model for model in MODELS if model[0] in ("mbert", "nllb-600m")])
    assert figure2.pairs(alone, "paper") == [("mbert", "nllb-600m")], "without a complete pair, the others"
    empty = pd.DataFrame(columns=["corpus", "layer", "language", "model_a", "model_b", "estimator", *sheet.NUMBERS])
    one = pd.DataFrame([["c", 0, "de", "mbart", "random", "debiased", 0.1, 0, 0.2, 0, 9]], columns=empty.columns)
    frame = figure1.cells(outline, "sound", one)
    assert list(dict.fromkeys(frame["model_row"])) == ["mbert", "xlmr", "mbart"]
    columns = ["mbart-m2o", "mbart-o2m", "mbart-m2m", "mbart-dn", "random"]
    assert list(dict.fromkeys(frame["model_column"])) == columns
    assert frame["value"].notna().sum() == 1


DEPTHS = {"a": 2, "b": 5, "c": 5, "d": 12}
PEERS = tuple((model, f"model {model}", "LM", None) for model in DEPTHS)


def similarities_of_depths(depths, languages=("de", "en", "fr")):
    """Similarities of models, and of languages, as `representations` makes them for models of these depths."""
    rng = np.random.default_rng(0)

    def numbers(**keys):
        value = float(rng.random())
        own = dict(zip(sheet.NUMBERS, (value, value - 0.02, value + 0.02, 0.0, 100), strict=True))
        return {"corpus": "parallel", **keys, "estimator": "debiased", **own}

    between, inside = [], []
    for a, b in combinations(depths, 2):
        for layer in range(min(depths[a], depths[b]) + 1):
            shallow, deep = sorted((depths[a], depths[b]))
            other = matching_layer(layer, shallow, deep)
            layers = (layer, other) if depths[a] <= depths[b] else (other, layer)
            for language in languages:
                row = numbers(layer=layer, language=language, model_a=a, model_b=b)
                between.append(row | dict(zip(sheet.LAYERS, layers, strict=True)))
    for model, depth in depths.items():
        for layer in range(depth + 1):
            for a, b in combinations(languages, 2):
                inside.append(numbers(layer=layer, model=model, language_a=a, language_b=b, aligned=True))
    return {1: pd.DataFrame(between), 2: pd.DataFrame(inside)}


def test_models_of_unequal_depth_are_drawn_at_the_layers_they_have():
    outline, similarity = outline_of(models=PEERS), similarities_of_depths(DEPTHS)
    figure, frame = draw(1, outline, similarity[1], "sound")
    assert not frame["value"].isna().any(), "no cell is missing"
    assert written(figure) == sorted(sheet.cka_text(value) for value in frame["value"])
    layers = frame.query("model_row == 'b' and model_column == 'd'").drop_duplicates("layer")
    assert list(zip(layers["layer_row"], layers["layer_column"], strict=True)) == [
        (0, 0), (1, 2), (2, 5), (3, 7), (4, 10), (5, 12),
    ]  # fmt: skip
    ticks = [[label.get_text() for label in ax.get_yticklabels()] for ax in figure.axes if ax.texts]
    assert ["0·0", "1·2", "2·5"] in ticks and ["0", "1", "2", "3", "4", "5"] in ticks
    assert any("round(l·L′/L) of L′" in text.get_text() for text in figure.texts)


def test_inside_models_of_unequal_depth_each_has_a_matrix_at_its_own_layers():
    similarity = similarities_of_depths(DEPTHS)
    figure, frame = draw(2, outline_of(models=PEERS), similarity[2], "sound")
    assert not frame["value"].isna().any()
    assert frame.groupby("model")["layer"].max().to_dict() == DEPTHS
    assert frame.groupby("pair")["model"].nunique().max() == 1, "a and b, c and d differ in depth"
    assert written(figure) == sorted(sheet.cka_text(value) for value in frame["value"])
    assert any("models of unequal depth have a matrix each" in text.get_text() for text in figure.texts)
    equal = cells_of(2, outline_of(models=PEERS), similarities_of_depths({"a": 2, "b": 2, "c": 5, "d": 5})[2])
    assert [set(part["model"]) for _, part in equal.groupby("pair")] == [{"a", "b"}, {"c", "d"}]


def test_without_a_base_or_a_translation_model_every_model_is_compared_with_every_other():
    assert figure1.pairs(outline_of(models=PEERS[:3])) == [("a", "b"), ("a", "c"), ("b", "c")]
    only = outline_of(models=(("m", "M", "MT", None), ("n", "N", "MT", None)))
    assert figure1.pairs(only) == [("m", "n")]
    similarity = similarities_of_depths({"a": 2, "b": 2, "c": 2})[1].drop(columns=sheet.LAYERS)
    figure, frame = draw(1, outline_of(models=PEERS[:3]), similarity, "sound")
    assert "layer_row" not in frame and len([ax for ax in figure.axes if ax.texts]) == 3
    assert written(figure) == sorted(sheet.cka_text(value) for value in similarity["value"])
    alone = outline_of(models=PEERS[:1])
    assert cells_of(1, alone, similarity[:0]).empty and draw(1, alone, similarity[:0], "sound")


def test_missing_cells_are_hatched_and_counted(figures_inputs):
    outline, similarity = figures_inputs
    part = similarity[2].query("layer < 2 and not (model == 'mbart' and layer == 0)")
    figure, frame = draw(2, outline, part, "sound")
    hatched = [patch for ax in figure.axes for patch in ax.patches if patch.get_hatch()]
    assert len(hatched) == frame["value"].isna().sum() == 10
    assert any("10 cells not there yet" in text.get_text() for text in figure.texts)


def test_sound_has_one_scale_and_one_bar_and_paper_a_scale_per_panel(drawings):
    for number in (1, 2):
        scales = {}
        for protocol in ("sound", "paper"):
            figure, _ = drawings[number, protocol]
            panels = [ax for ax in figure.axes if any(re.match(r"^\.\d\d$", t.get_text()) for t in ax.texts)]
            scales[protocol] = [ax.collections[0].get_clim() for ax in panels]
            bars = [ax for ax in figure.axes if "CKA" in ax.get_ylabel()]
            assert len(bars) == (1 if protocol == "sound" else 0)
        (scale,) = set(scales["sound"])
        assert scale == sheet.scale_of_figure(drawings[number, "sound"][1])
        assert len(set(scales["paper"])) > 1


def test_the_one_scale_is_that_of_the_values():
    assert sheet.scale_of_figure(pd.DataFrame({"value": [-0.034, 0.5]})) == (-0.1, 0.5)
    assert sheet.scale_of_figure(pd.DataFrame({"value": [0.71, 0.99, np.nan]})) == (0.7, 1.0)
    assert sheet.scale_of_figure(pd.DataFrame({"value": [0.3, 0.3]})) == (0.3, pytest.approx(0.4))
    assert sheet.scale_of_figure(pd.DataFrame({"value": [np.nan]})) == (0.0, 1.0)


def test_short_numbers():
    assert [sheet.cka_text(v) for v in (0.074, 0.999, -0.031, -0.001, 0.0, np.nan)] == [
        ".07",
        "1.0",
        "−.03",
        ".00",
        ".00",
        "",
    ]


def test_texts_lie_inside_the_figure_and_titles_do_not_touch(drawings, figures_inputs):
    _, similarity = figures_inputs
    pair = (("mbart", "mBART", "LM", None), ("mbart-dn", "mBART-dn", "CP", "mbart"))
    smallest = draw(1, outline_of(models=pair), similarity[1], "sound")
    for figure, frame in [*drawings.values(), smallest]:
        assert len(frame)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        axes = [text for ax in figure.axes for text in (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)]
        for text in [*figure.texts, *axes]:
            if text.get_text():
                extent = text.get_window_extent(canvas.get_renderer())
                inside = extent.x0 >= -1 and extent.y0 >= -1 and extent.x1 <= figure.bbox.x1 + 1
                assert inside and extent.y1 <= figure.bbox.y1 + 1, text.get_text()
        titles = [ax.title.get_window_extent() for ax in figure.axes if ax.title.get_text()]
        assert not [(a, b) for i, a in enumerate(titles) for b in titles[i + 1 :] if a.overlaps(b)]


def test_equal_input_gives_equal_files(figures_inputs, tmp_path):
    outline, similarity = figures_inputs
    contents = []
    for turn in ("one", "two"):
        figure, frame = draw(2, outline, similarity[2].query("layer < 1"), "sound")
        paths = {kind: tmp_path / turn / f"figure2.{kind}" for kind in ("png", "svg", "pdf", "csv")}
        style.write(figure, frame, **paths)
        contents.append({kind: path.read_bytes() for kind, path in paths.items()})
    assert contents[0] == contents[1]


def test_an_unknown_corpus_names_those_that_exist(figures_inputs):
    outline, similarity = figures_inputs
    with pytest.raises(MtbridgeError, match="no corpus 'parallel', expected one of: other"):
        draw(1, outline, similarity[1].assign(corpus="other"), "sound")


def test_a_figure_has_its_question_above_it_and_stays_the_same_file(figures_inputs, tmp_path):
    outline, similarity = figures_inputs
    for entry in catalog.ENTRIES:
        assert (entry.question.endswith("?")) == (entry.kind == "figure"), entry.name
    sizes = []
    for turn in range(3):
        figure, frame = draw(2, outline, similarity[2].query("layer < 1"), "sound")
        path = tmp_path / f"{turn}.svg"
        style.write(figure, frame, svg=path, title="A question?" if turn else "")
        sizes.append(path.read_bytes())
    assert sizes[1] == sizes[2] != sizes[0]
    height = [float(re.search(rb'height="([\d.]+)pt"', text)[1]) for text in sizes]
    assert height[1] > height[0] + 5, "the question lies above the picture, not over it"


def test_differences_from_the_base_are_grey_where_noise_may_make_them(presentation_results):
    folder, _, study = presentation_results
    outline, entry = read_outline(study), catalog.find("alike")
    frame = making.make(entry, outline, "sound", folder / entry.inputs)
    assert set(frame[frame["model"] == "mbart-m2m"]["against"]) == {"mbart"}
    assert set(frame[frame["model"] == "mbert"]["against"]) == {"random"}, "a model without a base has the floor"
    figure = making.draw(entry, frame, outline, "sound")
    grey = [patch for ax in figure.axes for patch in ax.patches if patch.get_facecolor()[:3] == (0.87, 0.87, 0.87)]
    assert len(grey) == ((frame["low"] <= 0) & (frame["high"] >= 0)).sum() > 0
    clim = [ax.collections[0].get_clim() for ax in figure.axes if ax.collections and ax.get_title()]
    assert {-low for low, _ in clim} == {high for _, high in clim}, "colours are centred on zero"


def test_unaligned_rows_are_said_to_be_so(figures_inputs):
    outline, similarity = figures_inputs
    figure, _ = draw(2, outline, similarity[2].query("layer == 0").assign(aligned=False), "paper")
    assert any("no translations of each other" in text.get_text().replace("\n", " ") for text in figure.texts)


def test_a_study_with_nothing_to_compare_still_draws(figures_inputs):
    _, similarity = figures_inputs
    outline = outline_of(models=(("mbert", "mBERT", "LM", None),))
    figure, frame = draw(1, outline, similarity[1], "sound")
    assert frame.empty and "no pair of models" in figure.texts[0].get_text()
