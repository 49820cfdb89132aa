"""The page as a document: every link has a target, every control a name, and its scripts are the project's own."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from mtbridge.presentation.page import build, libraries
from tests.unit.presentation.test_page import TEMPLATE

VOID = {"meta", "input", "img", "br", "link", "hr", "col"}


class Document(HTMLParser):
    """Elements with their attributes and text, in order, and whether they are nested as they should be."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[dict] = []
        self.open: list[dict] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", "inside": [one["tag"] for one in self.open], **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1]["tag"] != tag:
            self.faults.append(f"</{tag}> closes {[one['tag'] for one in self.open[-2:]]}, {self.getpos()}")
            return
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, *tags):
        return [element for element in self.elements if element["tag"] in tags]


@pytest.fixture(scope="module")
def document(report_values):
    return Document(build.render(report_values, TEMPLATE))


def test_elements_are_nested_and_ids_are_unique(document):
    assert not document.faults and not document.open
    ids = [element["id"] for element in document.elements if "id" in element]
    assert len(ids) == len(set(ids)), {name for name in ids if ids.count(name) > 1}


def opened_by_cells(document) -> list[str]:
    """The ids that cells of long tables open, whose buttons the page's script makes: [text, order, id]."""
    data = [json.loads(one["text"]) for one in document.all("script") if one.get("type") == "application/json"]
    cells = [cell for rows in data if isinstance(rows, list) for row in rows for cell in row if isinstance(cell, list)]
    return [opens for _, _, opens in cells if opens]


def test_every_link_and_every_button_leads_somewhere_on_the_page(document):
    ids = {element.get("id") for element in document.elements}
    links = [element["href"] for element in document.all("a")]
    assert links and all(link.startswith("#") for link in links)
    assert {link[1:] for link in links} <= ids, {link[1:] for link in links} - ids
    opens = opened_by_cells(document)
    assert opens and set(opens) <= ids
    assert {element["data-source"] for element in document.elements if "data-source" in element} <= ids


def test_every_leading_sentence_is_linked_to_its_table(document, report_values):
    for sentence in [*report_values["views"][0].leads, *report_values["reading"]]:
        assert sentence.link in {element.get("id") for element in document.elements}, sentence


def test_nothing_outside_the_page_is_asked_for(document):
    (policy,) = [element["content"] for element in document.all("meta") if "http-equiv" in element]
    assert policy.startswith("default-src 'none'") and "http" not in policy
    for element in document.elements:
        assert not {"srcset", "action"} & set(element)
        assert element.get("src", "data:").startswith("data:")
    own = [element["text"] for element in document.all("style")][1:]
    assert "url(" not in "".join(own) and "@import" not in "".join(own)


def test_scripts_are_the_libraries_the_projects_own_and_data_as_json(document):
    kinds: dict[str, list[str]] = {}
    for script in document.all("script"):
        kinds.setdefault(script.get("type", ""), []).append(script["text"])
    assert kinds.pop("") == [libraries.drawing()] and len(kinds.pop("module")) == 1
    assert kinds.pop("text/plain") == [libraries.tables()]
    data = [json.loads(text) for text in kinds.pop("application/json")]
    assert all(any(value is not None for value in row) for rows in data if isinstance(rows, list) for row in rows)
    for picture in (one for one in data if isinstance(one, dict)):
        assert picture["columns"] and set(picture["views"]) <= {"value", "difference"}
        for view in picture["views"].values():
            assert view["data"] == {"name": "rows"} or "layer" in view or "spec" in view
            assert view["description"].endswith((".", "?")) and "url" not in json.dumps(view)
    assert not kinds


def test_what_is_seen_has_words_for_those_who_do_not_see_it(document):
    assert document.all("html")[0]["lang"] == "en"
    for element in document.elements:
        if element["tag"] == "img":
            assert element["alt"]
        if element.get("role") in ("img", "region"):
            assert element["aria-label"]
        if element["tag"] == "input":
            assert "label" in element["inside"], "a switch has its label around it"
        if element["tag"] == "th":
            assert element["text"] and element["scope"], element
        if element["tag"] == "fieldset":
            assert element["text"]
    levels = [int(element["tag"][1]) for element in document.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    # What scrolls can be reached with the keyboard.
    assert all("tabindex" in one for one in document.elements if one.get("class") == "scroll" and "role" in one)


def test_a_switch_shows_one_protocol_at_a_time(document):
    switches = [element["id"] for element in document.all("input") if element.get("name") == "protocol"]
    assert switches == ["protocol-0", "protocol-1"]
    assert {element["data-view"] for element in document.elements if "data-view" in element} == {"0", "1"}
    style = document.all("style")[1]["text"]
    for place in ("0", "1"):
        assert f'body:has(#protocol-{place}:checked) [data-view]:not([data-view="{place}"])' in style


def test_scores_can_be_filtered_by_what_they_are_known_by(document):
    names = {element["text"] for element in document.all("th") if "data-filter" in element}
    assert {"task", "model", "language", "script", "score", "verdict"} <= names


def test_a_click_on_a_score_shows_its_runs(document):
    (first, *_) = opened_by_cells(document)
    (origin,) = [element for element in document.elements if element.get("id") == first]
    assert "popover" in origin
    for text in ("runs/default/", "seed1", "abcdef0", "0123", "licence", "sha256", "source"):
        assert text in origin["text"], text


def test_dark_and_print_are_provided_for(document):
    style = document.all("style")[1]["text"]
    assert "prefers-color-scheme: dark" in style and "@media print" in style and "max-width: 600px" in style
    plain = re.findall(r"(?<![-\w])color: (#\w+)", re.sub(r":root \{[^}]*\}", "", style))
    assert plain == [], "colours are variables, which dark mode changes"
