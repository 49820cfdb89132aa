"""Figures on a screen and in print: their width, that no text touches another or leaves the picture, sizes, colours."""

import re
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from PIL import Image

from mtbridge.presentation import catalog, making
from mtbridge.presentation.entry import PRINTED
from mtbridge.presentation.figures import looks, sheet, style
from mtbridge.presentation.page.charts import picture
from mtbridge.specs.protocol import Protocol
from mtbridge.study.outline import read_outline
from tests.support.colours import VISIONS, contrast, difference, lightness, seen
from tests.support.presentation import make
from tests.support.verdicts import three, write_contrasts
from tests.unit.presentation.test_figures import DEPTHS, PEERS, similarities_of_depths
from tests.unit.presentation.test_mechanism import BASE, DERIVED, WEIGHTS, outline_of

ROOT = Path(__file__).resolve().parents[3]

FIGURES = [entry for entry in catalog.ENTRIES if entry.kind == "figure"]
COLUMN, PAGE = Protocol().column_width, Protocol().page_width
WIDTHS = (None, 3.0, COLUMN, PAGE)  # a screen, the narrowest column that the settings allow, and the defaults


@pytest.fixture(scope="module")
def frames(presentation_results, tmp_path_factory):
    """Name of a figure -> its frame and outline, with something to draw in every figure."""
    folder, _, text = presentation_results
    outline = read_outline(text)
    found = {}
    for entry in FIGURES:
        found[entry.name] = making.make(entry, outline, "sound", folder / entry.inputs), outline
    derived = outline_of(*DERIVED)
    rows = [three(**BASE, model=key, zero_shot=(value, 0.5, "helps"))
            for key, value in (("mbart-m2m", 6.0), ("mbart-o2m", 2.0), ("mbart-dn", -1.0))]  # fmt: skip
    rows += [three(**WEIGHTS, model=one["key"], zero_shot=(value, 0.5, "helps"))
             for one, value in zip(DERIVED, (0.4, 3.0), strict=True)]  # fmt: skip
    path = write_contrasts(tmp_path_factory.mktemp("contrasts"), *rows)
    for name in ("interventions", "dose"):
        found[name] = make(name, derived, "sound", path), derived
    return found


def ticks_in_view(axis):
    """The labels of ticks that are drawn."""
    low, high = sorted(axis.get_view_interval())
    room = 1e-6 * (high - low)
    return [tick.label1 for tick in axis.get_major_ticks() if low - room <= tick.get_loc() <= high + room]


def texts_of(figure):
    """Every text that a picture shows."""
    found = list(figure.texts)
    for legend in figure.legends:
        found += [*legend.get_texts(), legend.get_title()]
    for ax in figure.axes:
        found += [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts] if ax.axison else []
        found += [*ticks_in_view(ax.xaxis), *ticks_in_view(ax.yaxis)] if ax.axison else []
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def check(entry, figure, width):
    """Texts lie apart, inside the file's area, and are large enough."""
    height = figure.get_figheight() + style.add_question(figure, entry.question)
    size = 72 * np.array([figure.get_figwidth(), height])
    canvas = FigureCanvasAgg(figure)
    with style.styled(width):
        canvas.draw()
    texts = texts_of(figure)
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
    edges = np.array([(one.x0, one.y0, one.x1, one.y1) for one in boxes]) * 72 / figure.dpi
    names = [text.get_text() for text in texts]
    outside = (edges[:, :2] < -0.5).any(axis=1) | (edges[:, 2:] > size + 0.5).any(axis=1)
    assert not outside.any(), [name for name, out in zip(names, outside, strict=True) if out]
    # Lines of text have room above and below; letters touch if more than that is shared.
    room = 0.12 * np.array([text.get_fontsize() for text in texts])[:, None]
    edges = edges + np.hstack([room, room, -room, -room])
    apart = (edges[:, None, :2] >= edges[None, :, 2:]).any(axis=2)
    touching = np.argwhere(np.triu(~(apart | apart.T), 1))
    assert not len(touching), [(names[a], names[b]) for a, b in touching]
    if width is not None:
        assert figure.get_figwidth() == pytest.approx(width)
        smallest = min(texts, key=lambda text: text.get_fontsize())
        assert smallest.get_fontsize() >= style.SMALLEST, smallest.get_text()


@pytest.mark.parametrize("form", ["page", "column"])
def test_files_for_print_have_the_width_that_the_protocol_says(frames, tmp_path, form):
    frame, outline = frames["retrieval_layers"]
    width = getattr(outline.protocol("sound"), PRINTED[form])
    assert width == {"page": PAGE, "column": COLUMN}[form]
    entry = catalog.find("retrieval_layers")
    paths = {kind: tmp_path / f"figure.{kind}" for kind in ("pdf", "svg", "png")}
    style.write(making.draw(entry, frame, outline, "sound", width), frame, title=entry.question, **paths)
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ", paths["pdf"].read_bytes())
    svg = re.search(rb'width="([\d.]+)pt"', paths["svg"].read_bytes())
    assert [float(found[1]) for found in (box, svg)] == pytest.approx([72 * width] * 2, abs=0.1)
    with Image.open(paths["png"]) as image:
        assert image.width / image.info["dpi"][0] == pytest.approx(width, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("entry", FIGURES, ids=lambda entry: entry.name)
def test_a_figure_has_its_width_and_its_texts_lie_apart(frames, entry, width):
    frame, outline = frames[entry.name]
    figure = making.draw(entry, frame, outline, "sound", width)
    assert not any(text.get_text().startswith("No") and len(figure.axes) == 0 for text in figure.texts), "nothing drawn"
    check(entry, figure, width)


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("number", [1, 2])
def test_heat_maps_with_a_scale_each_and_of_unequal_depth_fit_their_width_too(presentation_results, number, width):
    entry = catalog.find(f"figure{number}")
    folder, _, text = presentation_results
    outline = read_outline(text)
    frame = making.make(entry, outline, "paper", folder / entry.inputs)
    check(entry, making.draw(entry, frame, outline, "paper", width), width)
    similarity = similarities_of_depths(DEPTHS, ("ar", "de", "en", "fr", "hi", "sr_Latn", "zh"))[number]
    peers = outline_of(models=[dict(zip(("key", "label", "kind", "base"), peer, strict=True)) for peer in PEERS])
    module = entry.load()[0].__globals__
    frame = module["cells"](peers, "sound", sheet.select(similarity, peers, "sound", "similarities"))
    check(entry, making.draw(entry, frame, peers, "sound", width), width)


@pytest.mark.parametrize("entry", FIGURES, ids=lambda entry: entry.name)
def test_an_empty_figure_says_so_within_its_width(frames, entry):
    frame, outline = frames[entry.name]
    empty = frame.iloc[:0]
    check(entry, making.draw(entry, empty, outline, "sound", COLUMN), COLUMN)


def test_cells_have_numbers_only_where_they_are_large_enough_to_print():
    assert sheet.size_of_numbers((0.3, 0.3), COLUMN) >= style.SMALLEST
    assert sheet.size_of_numbers((0.15, 0.3), COLUMN) == sheet.size_of_numbers((0.3, 0.12), PAGE) == 0
    assert sheet.size_of_numbers((0.22, 0.22), None) > 0, "a screen can be made larger"


def test_text_is_broken_at_spaces_alone_and_numbers_keep_their_unit():
    text = "zero-shot, points more than mBART-like, 1.1 M"
    lines = style.fit(text, 0.9, 8).split("\n")
    assert " ".join(lines).replace("\N{NO-BREAK SPACE}", " ") == text
    assert "1.1\N{NO-BREAK SPACE}M" in lines[-1] and not any(line.endswith("-") for line in lines)
    assert all(style.text_width(line, 8) <= 0.9 for line in lines)
    assert style.fit("word", 0.01, 8) == "word"


# ---- Colours -------------------------------------------------------------------------------------------------


def test_the_difference_of_colours_is_that_of_published_pairs():
    """Pairs of Sharma, Wu & Dalal (2005), table 1."""
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ]
    for one, other, expected in pairs:
        assert difference(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)
    assert seen("white") == pytest.approx([100, 0, 0], abs=0.02) and lightness("black") == 0
    for vision in VISIONS:
        assert seen("0.5", vision) == pytest.approx(seen("0.5"), abs=0.05), "greys stay grey"


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_of_models_are_told_apart(vision):
    pairs = combinations([*looks.PALETTE, looks.UNTRAINED.colour], 2)
    closest = min((difference(seen(one, vision), seen(other, vision)), one, other) for one, other in pairs)
    assert closest[0] > 9, closest


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_of_the_page_are_told_apart_on_white_and_on_black(vision):
    pairs = [(one, other) for one, other in combinations(picture.COLOURS, 2)]
    nearest = min(pairs, key=lambda pair: difference(*(seen(colour, vision) for colour in pair)))
    assert difference(*(seen(colour, vision) for colour in nearest)) > 9, nearest
    for paper in re.findall(r"--paper: (#[0-9a-f]{6})", (ROOT / "workflow/report/page.css").read_text()):
        assert all(contrast(colour, paper) >= 3 for colour in picture.COLOURS)  # WCAG 2.2, 1.4.11


def test_lines_differ_in_form_as_well_as_in_colour():
    drawn = [looks.look(place) for place in range(44)]
    forms = {(str(one.style), one.marker) for one in drawn}
    assert len(forms) == 44
    for place, one in enumerate(drawn[:-1]):
        after = drawn[place + 1]
        assert one.marker != after.marker and one.style != after.style and one.colour != after.colour
    assert looks.UNTRAINED.marker not in {one.marker for one in drawn}
    assert all(lightness(one.colour) < 85 for one in drawn), "seen on white"


def test_a_line_with_many_points_has_marks_at_places_of_its_own():
    assert looks.mark_every(5, 3) == 1
    places = [looks.mark_every(200, place) for place in range(5)]
    assert all(len(own) == looks.MARKS and min(own) >= 0 and max(own) < 200 for own in places)
    assert not set.intersection(*map(set, places))


@pytest.mark.parametrize("vision", VISIONS)
def test_shades_of_similarity_get_darker_all_the_way(vision):
    shades = matplotlib.colormaps[style.COLOURS](np.linspace(0, 1, 41))
    steps = np.diff([seen(to_rgb(shade), vision)[0] for shade in shades])
    assert (steps < -0.5).all()


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_of_differences_are_as_dark_at_both_ends_and_tell_the_sign(vision):
    shades = matplotlib.colormaps[style.DIVERGING](np.linspace(0, 1, 41))
    dark = np.array([lightness(to_rgb(shade)) for shade in shades])
    assert (np.diff(dark[:21]) > 0).all() and (np.diff(dark[20:]) < 0).all()
    assert np.abs(dark - dark[::-1]).max() < 6
    for place in (4, 10, 16):  # at four, two and one fifth of the scale
        less, more = (seen(to_rgb(shade), vision) for shade in (shades[place], shades[-1 - place]))
        assert difference(less, more) > 9


def test_differences_below_zero_are_marked_so_that_grey_tells_them(frames):
    frame, outline = frames["alike"]
    figure = making.draw(catalog.find("alike"), frame, outline, "sound")
    strokes = sum(len(line.get_xdata()) for ax in figure.axes for line in ax.get_lines() if line.get_marker() == "_")
    assert strokes == (frame["high"] < 0).sum() > 0
