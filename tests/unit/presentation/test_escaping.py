"""What comes from config and data stays text: on the page, in its drawings, in Markdown and in LaTeX."""

import base64
import json
import re
import shutil
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from mtbridge.base.files import read_json, write_json
from mtbridge.presentation import catalog
from mtbridge.presentation.page import build
from mtbridge.study.outline import read_outline
from tests.support.presentation import TASKS, presentation_study, write_shown
from tests.unit.presentation.test_page import TEMPLATE

EVIL = (
    """<script>alert(1)</script> "a" 'b' & </svg><img src=x onerror=alert(2)> $\\nothing_1{$ --> | `c` """
    "[d](javascript:alert(3)) %#^~{{ 7 * 7 }} {% raw %} \\input{/etc/passwd}"
)


@pytest.fixture(scope="module")
def evil(presentation_results, tmp_path_factory):
    """(results folder, outline) of a study in which every text is one that would like to be code."""
    folder = shutil.copytree(presentation_results[0], tmp_path_factory.mktemp("evil") / "mini")
    study = presentation_study(tasks=(TASKS[0], TASKS[5], TASKS[7]))
    study["description"] = EVIL
    study["recipes"]["default"]["trained"] |= {"note": EVIL, "by_task": {"pos": {EVIL: EVIL}}}
    for model in study["models"]:
        model["label"] = f"{model['key']} {EVIL}"
        card = folder / "models" / model["key"] / "card.json"
        write_json(read_json(card) | {"source": EVIL, "sha256": EVIL}, card)
    for run in folder.glob("runs/default/*/nc/seed1/run.json"):
        write_json(read_json(run) | {"commit": EVIL, "versions": {EVIL: EVIL}}, run)
    outline = read_outline(json.dumps(study))
    write_shown(folder, outline, "sound", "", catalog.ENTRIES, layers=1)
    build.write(folder, outline, ["sound"], TEMPLATE, folder / "report" / "index.html")
    return folder, outline


class Page(HTMLParser):
    """Elements, attributes and text of a page, as a browser would find them."""

    def __init__(self, content: str):
        super().__init__()
        self.elements, self.attributes, self.text = set(), [], ""
        self.scripts = []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes += attrs
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))

    def handle_data(self, data):
        if self.lasttag == "script" and self.cdata_elem == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        self.text += data


def test_no_element_of_the_page_comes_from_data(evil):
    page = Page((evil[0] / "report" / "index.html").read_text(encoding="utf-8"))
    assert not page.elements & {"iframe", "object", "embed", "link", "base", "form"}
    # Data stands in scripts that are JSON; what runs is the libraries' and the project's.
    assert [kind for kind, _ in page.scripts if kind != "application/json"] == [None, "text/plain", "module"]
    for kind, text in page.scripts:
        if kind == "application/json":
            assert "<" not in text and json.loads(text)
        else:
            assert "onerror=alert(2)" not in text
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    links = [value for name, value in page.attributes if name in ("src", "href")]
    assert all(value.startswith(("#", "data:image/svg+xml;base64,")) for value in links)
    shown = " ".join(page.text.split())
    assert shown.count(" ".join(EVIL.split())) > 10, "the text is shown as it is"


def drawings(folder):
    yield from (path.read_text(encoding="utf-8") for path in folder.glob("figures/*.svg"))
    page = Page((folder / "report" / "index.html").read_text(encoding="utf-8"))
    inside = [value.partition("base64,")[2] for name, value in page.attributes if name == "src"]
    yield from (base64.b64decode(value).decode() for value in inside)


def test_no_element_of_a_drawing_comes_from_data(evil):
    seen = list(drawings(evil[0]))
    assert len(seen) >= 6
    for drawing in seen:
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawing).iter()}
        assert not tags & {"script", "foreignObject", "img", "a"}


def test_markdown_tables_keep_their_columns_and_hold_no_html_of_the_datas(evil):
    for path in evil[0].glob("tables/*.md"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"<[^>]*>", text)) <= {"<br>", "<sub>", "</sub>"}
        assert "](javascript" not in text
        rows = [line for line in text.splitlines() if line.startswith("|")]
        for block in re.split(
            r"\n(?!\|)", "\n".join(line if line.startswith("|") else "" for line in text.splitlines())
        ):
            columns = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines() if line}
            assert len(columns) <= 1, columns
        assert rows


def test_latex_tables_hold_no_command_of_the_datas(evil):
    for path in evil[0].glob("tables/*.tex"):
        text = path.read_text(encoding="utf-8")
        body = text.partition("\n")[2]
        assert r"\input" not in body and r"\nothing" not in body
        # What is special in LaTeX stands with a backslash, or is ours; every brace has its partner.
        plain = re.sub(r"\\[\\&%$#_{}]", "", body)
        assert not re.search(r"[%#^~]", re.sub(r"\$[^$]*\$|resizebox\{[^%]*%", "", plain).replace("{%", ""))
        assert plain.count("{") == plain.count("}")
        assert plain.count("$") % 2 == 0
