"""The page as a reader uses it, in a real browser that is driven: sort, filter, hover, switch, type, print.

Every test also holds that no error reaches the console and that no request leaves the page. Accessibility is checked
by axe-core. Skipped, with the reason, where there is no Chromium or no Playwright.
"""

import shutil

import pytest

from mtbridge.presentation.page import build
from tests.support.presentation import TEMPLATE
from tests.support.waiting import wait_for

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make setup")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make setup")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BROWSER, reason="no chromium on this machine")]

GRID = "#scores-by-language"  # the long table of scores, under the first protocol
LOCAL = ("file:", "data:", "blob:")  # addresses that need no network
READY = "document.documentElement.dataset.ready === 'yes'"
# WCAG 2.2 A and AA: contrast, labels, names and roles, order of headings and landmarks.
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.fixture(scope="module")
def address(report_values, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(build.render(report_values, TEMPLATE), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def visit(browser, address):
    """Opens the page with a width and more options of a context; what it asks for and says must be nothing."""
    contexts, wrong = [], []

    def opened(width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else wrong.append(asked.url),
        )
        page.goto(address)
        page.wait_for_function(READY, timeout=120_000)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong, wrong


def cells(page, name):
    """The texts of a column of the rows of GRID that are shown."""
    titles = page.locator(f"{GRID} thead .dt-column-title").all_inner_texts()
    return page.locator(f"{GRID} tbody td:nth-child({1 + titles.index(name)})").all_inner_texts()


def numbers(texts):
    return [float(text.replace("−", "-").strip("°†‡§")) for text in texts if text.strip("–")]


def test_a_long_table_sorts_by_mouse_and_by_keyboard(visit):
    page = visit()
    assert numbers(cells(page, "score")) != sorted(numbers(cells(page, "score")))
    page.locator(GRID).get_by_role("button", name="score: Activate to sort").click()
    page.wait_for_selector(f'{GRID} thead [aria-sort="ascending"]')
    rising = numbers(cells(page, "score"))
    assert rising == sorted(rising) and len(rising) > 5
    page.locator(f"{GRID} thead [aria-sort]").get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f'{GRID} thead [aria-sort="descending"]')
    falling = numbers(cells(page, "score"))
    assert falling == sorted(falling, reverse=True) and falling != rising


def test_a_long_table_is_filtered_by_what_is_typed_and_by_a_columns_list(visit):
    page = visit()
    before = page.locator(f"{GRID} .dt-info").inner_text()
    page.locator(f"{GRID} input[type=search]").first.fill("Cyrillic")
    wait_for(lambda: set(cells(page, "script")) == {"Cyrillic"}, "rows of one script alone", 30)
    assert page.locator(f"{GRID} .dt-info").inner_text() != before
    page.locator(f"{GRID} input[type=search]").first.fill("")
    wait_for(lambda: page.locator(f"{GRID} .dt-info").inner_text() == before, "all rows", 30)
    languages = set(cells(page, "language"))
    titles = page.locator(f"{GRID} thead .dt-column-title").all_inner_texts()
    page.locator(f"{GRID} thead th").nth(titles.index("language")).locator("button").click()
    page.locator(".dtcc-dropdown .dtcc-list-buttons button, .dtcc-dropdown .dtcc-button").filter(
        has_text="German"
    ).first.click()
    wait_for(lambda: set(cells(page, "language")) == {"German (de)"}, "rows of one language alone", 30)
    assert languages != {"German (de)"}


def test_what_a_score_rests_on_is_one_click_away(visit):
    page = visit()
    page.locator(f"{GRID} tbody button").first.click()
    told = page.locator("[popover]:popover-open").inner_text()
    for part in ("seed", "commit", "digest"):
        assert part in told, told
    page.keyboard.press("Escape")
    assert page.locator("[popover]:popover-open").count() == 0


def test_values_are_shown_under_the_mouse(visit):
    page = visit()
    picture = page.locator("#opening .picture")
    picture.scroll_into_view_if_needed()
    picture.locator("svg .mark-symbol path").first.hover()
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert "difference" in tooltip.inner_text() and "verdict" in tooltip.inner_text()


def test_switches_change_the_protocol_and_the_pictures(visit):
    page = visit()
    drawn = page.locator("#similarity ~ div:visible .picture svg").first
    before = drawn.inner_html()
    page.get_by_label("differences from the base").check()
    page.wait_for_function(READY)
    page.wait_for_function(
        "before => [...document.querySelectorAll('#similarity ~ div svg')].every(one => one.innerHTML !== before)",
        arg=before,
    )
    page.get_by_label("paper").check()
    assert page.locator("#table1-paper").is_visible() and not page.locator("#table1").is_visible()


def test_the_keyboard_reaches_the_answers_first_and_shows_where_it_is(visit):
    page = visit()
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "To the answers" and skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#answers")
    page.keyboard.press("Tab")
    outline = page.locator(":focus").evaluate("one => getComputedStyle(one).outlineStyle")
    assert outline != "none"


@pytest.mark.parametrize("width", [375, 768, 1280])
def test_nothing_but_tables_and_pictures_is_wider_than_the_window(visit, width):
    page = visit(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_in_print_are_all_tables_and_no_switch(visit):
    page = visit()
    page.emulate_media(media="print")
    assert not page.locator(".bar").is_visible() and not page.locator(".grid-box").first.is_visible()
    assert page.locator("#table1").is_visible()
    folded = page.locator("details table").evaluate_all("all => all.filter(one => !one.clientHeight).length")
    assert page.locator("details table").count() and not folded
    wide = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(one => getComputedStyle(one).overflow !== 'visible').length"
    )
    assert wide == 0 and page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_against_wcag(visit, scheme):
    page = visit(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    page.wait_for_function(READY)
    found = axe.Axe().run(page, options=RULES).response["violations"]
    told = [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for one in found for node in one["nodes"]
    ]
    assert not told, "\n".join(told[:20])
