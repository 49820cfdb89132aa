"""The table of verdicts, the ranking, and the figure of differences."""

import pandas as pd
import pytest

from mtbridge.base.files import write_parquet
from mtbridge.inference import ranking
from mtbridge.presentation import catalog, comparisons, making
from mtbridge.presentation.files import read_csv, write_table
from mtbridge.presentation.latex import to_tex
from mtbridge.presentation.markdown import to_markdown
from tests.support.presentation import lay_out, make, outline_of
from tests.support.verdicts import NAN, row, three, write_contrasts

PAIR = {"family": "compare", "primary": False, "p_holm": NAN}
CHECKPOINT = {"scope": "checkpoint", "P": 1, "S": 3, "by_pretraining": []}


def table(folder, *rows, outline=None):
    outline = outline or outline_of()
    frame = make("verdicts", outline, "sound", write_contrasts(folder, *rows))
    return frame, lay_out("verdicts", frame, outline, "sound")


def cells(block):
    return [[cell.text for cell in line] for line in block.rows]


def test_families_have_their_blocks_and_primary_contrasts_stand_first(tmp_path):
    base = three(family="base", against="mbart", primary=False, p_holm=NAN)
    pair = three(**PAIR, **CHECKPOINT, model="mbert", against="xlmr")
    other = three(model="mbart-o2m", primary=False, p_holm=NAN)
    elsewhere = three(protocol="paper"), three(task="nc")
    frame, layout = table(tmp_path, base, pair, other, three(), *elsewhere)
    assert len(frame) == 12
    assert [block.title for block in layout.blocks] == [
        comparisons.FAMILIES[name] for name in ("objectives", "compare", "base")
    ]
    objectives, compared, _ = layout.blocks
    assert objectives.header == [
        "contrast",
        "score",
        "difference",
        "p (Holm)",
        "verdict",
        "P",
        "S",
        "n",
        "smallest effect",
    ]
    assert cells(objectives)[0][:2] == ["mBART m2m-like against mBART + denoising", "English"]
    assert cells(objectives)[1] == ["", "zero-shot", "+6.7", "0.020", "helps", "5", "1", "16,000", "2.1"]
    assert cells(objectives)[3][0] == "mBART o2m-like against mBART + denoising"
    assert "p (Holm)" not in compared.header and cells(compared)[1][3] == "higher"
    assert compared.rows[1][3].details == ("these checkpoints",)
    assert any("not about the objective" in note for note in layout.notes)


@pytest.mark.parametrize("verdict", ["undecided", "no verdict", "helps"])
def test_verdicts_that_are_taken_for_each_other_are_explained_where_they_occur(tmp_path, verdict):
    _, layout = table(tmp_path, three(zero_shot=(1.0, 2.0, verdict)))
    explained = {name for name, text in comparisons.VERDICTS_EXPLAINED.items() if text in layout.notes}
    assert explained == {verdict} - {"helps"}


def test_seen_and_unseen_languages_have_rows_of_their_own(tmp_path):
    parts = [row("zero_shot", 3.0, 1.0, "helps", languages=name) for name in ("seen", "unseen")]
    _, layout = table(tmp_path, three(), parts)
    assert [line[1:4] for line in cells(layout.blocks[0])] == [
        ["English", "all", "+0.1"],
        ["zero-shot", "all", "+6.7"],
        ["zero-shot", "seen", "+3.0"],
        ["zero-shot", "unseen", "+3.0"],
        ["gap", "all", "−6.6"],
    ]


def test_what_did_not_count_is_a_gap_with_its_reason(tmp_path):
    nothing = (NAN, NAN, "no verdict")
    _, layout = table(tmp_path, three(english=nothing, degenerate="constant answer", left_out="qadsm"))
    english, zero_shot, _ = layout.blocks[0].rows
    assert (english[2].text, english[2].marks, english[2].details) == ("—", "°", ("constant answer",))
    assert zero_shot[2].details == ("[5.3, 8.1]", "without QADSM")


@pytest.mark.parametrize(
    "rows", [(), (three(),), (three(), three(**PAIR, **CHECKPOINT, model="mbert", against="xlmr"))]
)
def test_csv_markdown_and_tex_agree(tmp_path, rows):
    frame, layout = table(tmp_path, *rows)
    paths = [tmp_path / f"verdicts.{suffix}" for suffix in ("csv", "md", "tex")]
    write_table(frame, layout, *paths)
    again = lay_out("verdicts", read_csv(paths[0]), outline_of(), "sound")
    assert to_markdown(again) == paths[1].read_text() and to_tex(again) == paths[2].read_text()
    for block in layout.blocks:
        for line in block.rows:
            assert all(cell.text in paths[1].read_text().replace("\\", "") for cell in line)


def test_ranks_are_those_that_the_data_allow(tmp_path):
    ranks = [
        ("sound", "default", "xlmr", 60.0, 1, 2, 1, 2, 8, "mbert"),
        ("sound", "default", "mbert", 61.0, 1, 2, 1, 2, 8, "xlmr"),
        ("sound", "default", "random", 35.0, 3, 3, 1, 2, 8, ""),
        ("paper", "default", "random", 35.0, 1, 1, 1, 2, 8, ""),
    ]
    write_parquet(pd.DataFrame(ranks, columns=ranking.COLUMNS), tmp_path / "ranking.parquet")
    outline = outline_of()
    frame = make("ranking", outline, "sound", tmp_path / "ranking.parquet")
    layout = lay_out("ranking", frame, outline, "sound")
    shown = cells(layout.blocks[0])
    assert [line[:4] for line in shown] == [
        ["1–2", "mBERT-like, 0.9 M", "61.0", "XLM-R-like"],
        ["1–2", "XLM-R-like, 0.9 M", "60.0", "mBERT-like"],
        ["3", "untrained, 1.1 M", "35.0", ""],
    ]
    write_table(frame, layout, *(tmp_path / f"ranking.{suffix}" for suffix in ("csv", "md", "tex")))
    assert to_markdown(lay_out("ranking", read_csv(tmp_path / "ranking.csv"), outline, "sound")) == to_markdown(layout)


# ---- The figure ----------------------------------------------------------------------------------------------------


def drawn(folder, *rows):
    outline, entry = outline_of(), catalog.find("forest")
    frame = making.make(entry, outline, "sound", write_contrasts(folder, *rows))
    return frame, making.draw(entry, frame, outline, "sound")


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_a_line_has_its_interval_its_pretrainings_its_margin_and_its_verdict(tmp_path):
    _, figure = drawn(tmp_path, three())
    (ax,) = figure.axes
    assert texts(figure) == [
        *("mBART m2m-like against mBART + denoising", "English", "+0.1 [−0.8, 1.0]", "equivalent within 1 point"),
        *("zero-shot", "+6.7 [5.3, 8.1]", "helps", "gap", "−6.6 [−8.1, −5.1]", "narrower"),
    ]
    intervals = [
        line.get_xdata().tolist() for line in ax.lines if line.get_linestyle() == "-" and line.get_linewidth() > 1
    ]
    assert intervals == [pytest.approx(pair) for pair in ([-0.8, 1.0], [5.3, 8.1], [-8.1, -5.1])]
    dots = [line for line in ax.lines if line.get_marker() == "."]
    assert [len(line.get_xdata()) for line in dots] == [5, 5, 5]
    assert [(patch.get_x(), patch.get_width()) for patch in ax.patches] == [(-1.0, 2.0)] * 3
    low, high = ax.get_xlim()
    assert low < -8.1 and high > 8.1


def test_verdicts_differ_in_form_and_in_text_and_not_in_colour(tmp_path):
    _, figure = drawn(tmp_path, three(english=(0, 1, "undecided"), gap=(0, 0.5, "equivalent")))
    marks = [line for line in figure.axes[0].lines if line.get_marker() in "Dsox"]
    assert [line.get_marker() for line in marks] == ["o", "D", "s"]
    assert len({line.get_color() for line in marks}) == 1


def test_twelve_contrasts_have_lines_of_the_same_size_and_all_text_is_inside(tmp_path):
    one = drawn(tmp_path / "one", three())[1]
    models = ["mbert", "xlmr", "mbart", "nllb-600m", "mbart-m2o", "mbart-o2m"]
    pairs = [(a, b) for a in models for b in models if a < b][:12]
    frame, many = drawn(tmp_path / "many", *(three(**PAIR, **CHECKPOINT, model=a, against=b) for a, b in pairs))
    assert len(frame) == 36 and many.get_figwidth() == one.get_figwidth()
    inches = [abs(figure.axes[0].get_ylim()[0]) for figure in (one, many)]
    assert inches[1] == pytest.approx(12 * inches[0])
    many.canvas.draw()
    for text in many.axes[0].texts:
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= many.bbox.width, text.get_text()


def test_nothing_to_compare_is_said_in_the_picture(tmp_path):
    _, figure = drawn(tmp_path)
    assert "Nothing is compared" in figure.texts[0].get_text()
    frame, figure = drawn(tmp_path, three(english=(NAN, NAN, "no verdict"), degenerate="constant answer"))
    assert "no verdict: nothing counted (constant answer)" in texts(figure)
    assert isinstance(frame["by_pretraining"].iloc[0], str)
