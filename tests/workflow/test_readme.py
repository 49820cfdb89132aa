"""Every command in the README is run or planned, and every link of the documents leads somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, Project
from tests.workflow.test_own_questions import PLACES, questions

README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTS = "\n".join(path.read_text() for path in PAGES if path.name != "CHANGELOG.md")
COMMANDS = [
    line.split(" # ")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", DOCUMENTS, re.DOTALL)
    for line in block.splitlines()
    if line.strip() and not line.startswith("#")
]
COMMANDS = list(dict.fromkeys(COMMANDS))
# Commands in running text: targets of make, and modules that are programs.
IN_TEXT = list(dict.fromkeys(re.findall(r"(?<!`)`((?:make|python -m) [^`<>]+)`(?!`)", DOCUMENTS)))
CODES = ("en", "de", "es", "fr", "ru", "sw")  # of the languages of examples


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("readme"))
    sizes = ("--train", "20", "--dev", "8", "--test", "8", "--lines", "50")
    made.program("scripts/world.py", *sizes, "--output", "own")
    (made.folder / "own/release/QA").mkdir(parents=True)
    for language, split in (("en", "train"), *((code, split) for code in PLACES for split in ("dev", "test"))):
        (made.folder / f"own/release/QA/{language}.{split}.json").write_text(questions(language, split, 4))
    return made


def test_the_readme_has_commands():
    assert sum(command.startswith("snakemake") for command in COMMANDS) > 8
    assert "make" in COMMANDS


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("snakemake")])
def test_a_snakemake_command_can_be_planned(project, command):
    words = shlex.split(command)[1:]
    dry = [] if "-n" in words else ["-n"]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *dry, *words],
        cwd=project.folder,
        env={**os.environ, **project.variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("command", [c for c in dict.fromkeys([*COMMANDS, *IN_TEXT]) if c.startswith("make")])
def test_a_make_command_has_its_target(project, command):
    done = subprocess.run(
        ["make", "-n", *shlex.split(command)[1:]], cwd=project.folder, capture_output=True, check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize("command", [c for c in IN_TEXT if c.startswith("python")])
def test_a_program_in_running_text_is_there(command):
    module = Path(*shlex.split(command)[2].split("."))
    places = [root / f"{module}{end}" for root in (ROOT, ROOT / "workflow") for end in (".py", "/__main__.py")]
    assert any(place.exists() for place in places), command


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("python")])
def test_a_program_of_the_readme_runs(project, command):
    done = project.program(*shlex.split(command)[1:], check=False)
    assert done.returncode == 0, done.stderr


def test_every_yaml_example_is_a_valid_config(project, tmp_path, monkeypatch):
    import yaml

    from mtbridge.study.load import load

    (tmp_path / "path/to/checkpoint").mkdir(parents=True)
    (tmp_path / "own/text").mkdir(parents=True)
    (tmp_path / "path/to/flores").mkdir()
    (tmp_path / "my/pairs").mkdir(parents=True)
    for folder, language in (("path/to", "en"), ("path/to", "de"), *(("own", code) for code in CODES)):
        for split in ("train", "dev", "test"):
            (tmp_path / folder / f"{language}.{split}.csv").write_text("")
    for split in ("train", "dev", "test"):
        for language in CODES:
            (tmp_path / f"own/text/{split}.{language}").write_text("")
            (tmp_path / f"path/to/flores/devtest.{language}").write_text("")
            (tmp_path / f"my/pairs/test.{language}").write_text("")
            (tmp_path / f"my/{language}.tsv").write_text("")
    (tmp_path / "path/to/checkpoint/config.json").write_text('{"model_type": "bert"}')
    monkeypatch.chdir(tmp_path)
    found = {page.name: re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL) for page in PAGES}
    assert sum(map(len, found.values())) > 6
    for blocks in found.values():
        before: dict = {}  # tasks of the catalog
        for block in blocks:
            config = yaml.safe_load(block)
            # A later example of a page may be about what an earlier one has said.
            before |= config.get("task_catalog", {})
            load({**config, **({"task_catalog": before} if before else {})})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_holds_both_sides_of_a_merge(page):
    assert not re.search(r"^(<{7}|={7}$|>{7})", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_messages_that_the_documents_explain_are_those_of_the_code():
    code = [*ROOT.glob("workflow/mtbridge/**/*.py"), *ROOT.glob("workflow/rules/*.smk"), ROOT / "Snakefile"]
    source = "\n".join(path.read_text() for path in code)
    rows = re.findall(r"^\| `([^|]*)` \|", (ROOT / "docs/messages.md").read_text(), re.MULTILINE)
    assert len(rows) > 6
    for row in rows:
        for part in row.split("…"):
            assert part.strip() in source, part
