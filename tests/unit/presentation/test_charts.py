"""The page's pictures show the values of their frames, and lines that can be told apart."""

from mtbridge.inference.retrieval import EVERY, RAW, TO
from mtbridge.presentation.page.charts import CHARTS
from mtbridge.presentation.page.charts.curves import line_looks
from mtbridge.presentation.page.charts.picture import COLOURS
from mtbridge.study.outline import read_outline
from tests.support.presentation import make


def colours_of(specification: dict) -> list[dict]:
    """How each mark of a specification is coloured, of those that have a colour for each value of a column."""
    own = [specification["encoding"]["color"]] if "color" in specification.get("encoding", {}) else []
    inner = [*specification.get("layer", []), *([specification["spec"]] if "spec" in specification else [])]
    return own + [colour for part in inner for colour in colours_of(part)]


def test_no_two_lines_of_a_picture_look_alike_and_only_the_floor_is_grey():
    names = [f"model {i}" for i in range(28)]
    colour, dash = (one.to_dict()["scale"] for one in line_looks("model", [*names, "floor"], "floor"))
    looks = list(zip(colour["range"], map(tuple, dash["range"]), strict=True))
    assert colour["domain"] == dash["domain"] == [*names, "floor"]
    assert len(set(looks)) == len(looks)
    assert [name for name, (value, _) in zip([*names, "floor"], looks, strict=True) if value == COLOURS[-1]] == [
        "floor"
    ]


def test_the_legend_of_lines_has_their_colours(presentation_results):
    """A mark without a legend would take the colours from it, because all marks share one scale."""
    folder, _, study = presentation_results
    outline = read_outline(study)
    frame = make("retrieval_layers", outline, "sound", folder / "retrieval.parquet")
    coloured = colours_of(CHARTS["retrieval_layers"](frame, outline).as_json()["views"]["value"])
    assert len(coloured) >= 3 and all(one == coloured[0] and one["legend"] for one in coloured)


def test_retrieval_is_drawn_by_direction_in_percent_with_floor_and_chance(presentation_results):
    folder, _, study = presentation_results
    outline = read_outline(study)
    frame = make("retrieval_layers", outline, "sound", folder / "retrieval.parquet")
    picture = CHARTS["retrieval_layers"](frame, outline)
    rows = picture.rows
    assert {panel.split(",")[0] for panel in rows["panel"]} == {"to English", "from English"}
    mean = frame[(frame["language"] == EVERY) & (frame["direction"] == TO) & (frame["measure"] == RAW)]
    drawn = rows[rows["panel"].str.startswith("to English, states")]
    assert len(mean) == len(drawn) and abs(drawn["value"].sum() - 100 * mean["value"].sum()) < 1e-6
    assert drawn["depth"].between(0, 1).all() and (drawn["null"] > 0).all()
    assert "untrained" in set(rows["model"]) and "Grey: untrained, the floor." in picture.text
    assert CHARTS["retrieval_layers"](frame.iloc[:0], outline) is None
