"""When code makes a result stale, and when it does not."""

import pytest

from mtbridge.base import identity


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project: scripts/run.py -> mtbridge.loss -> mtbridge.base.files; mtbridge.plot is not imported."""
    library, scripts = tmp_path / "workflow" / "mtbridge", tmp_path / "scripts"
    library.mkdir(parents=True)
    scripts.mkdir()
    (library / "__init__.py").write_text("")
    (library / "loss.py").write_text(
        '"""Loss."""\nfrom mtbridge.base.files import write\n\n\ndef loss(x):\n    return x * 2\n'
    )
    (library / "files.py").write_text("def write(x):\n    pass\n")
    (library / "plot.py").write_text("COLOUR = 1\n")
    (scripts / "run.py").write_text("def main():\n    from mtbridge import loss\n\n    loss.loss(1)\n")
    monkeypatch.setattr(identity, "LIBRARY", library)
    monkeypatch.setattr(identity, "SCRIPTS", scripts)
    monkeypatch.setattr(identity, "CACHE", tmp_path / "meanings.json")
    identity.meanings.cache_clear()

    def digest():
        identity.parse.cache_clear()
        identity.digest.cache_clear()
        return identity.digest("run")

    yield library, scripts, digest
    identity.parse.cache_clear()
    identity.digest.cache_clear()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_comments_docstrings_and_layout_are_not_meaning(project):
    library, _, digest = project
    before = digest()
    edit(library / "loss.py", '"""Loss."""', '"""Another text."""\n\n# a comment\n')
    edit(library / "loss.py", "    return x * 2", '    """Twice."""\n\n    return (x   *   2)  # why')
    assert digest() == before


def test_what_is_only_said_is_not_meaning(project):
    library, _, digest = project
    edit(
        library / "loss.py", "    return x * 2", "    if x < 0:\n        raise ValueError('negative')\n    return x * 2"
    )
    before = digest()
    edit(library / "loss.py", "'negative'", "f'{x} is negative'")
    assert digest() == before
    edit(library / "loss.py", "ValueError", "KeyError")
    assert digest() != before


def test_modules_for_other_options_can_be_left_out(project):
    library, _, _ = project
    edit(library / "loss.py", "    return x * 2", "    from mtbridge import plot\n\n    return x * 2")
    identity.digest.cache_clear()
    with_it, without = identity.digest("run"), identity.digest("run", frozenset({"mtbridge.plot"}))
    assert with_it != without
    assert "mtbridge.plot" not in identity.modules(identity.SCRIPTS / "run.py", frozenset({"mtbridge.plot"}))


def test_an_edit_inside_an_imported_function_is_meaning(project):
    library, _, digest = project
    before = digest()
    edit(library / "loss.py", "x * 2", "x * 3")
    assert digest() != before


def test_modules_that_are_not_imported_and_listed_exceptions_are_not_meaning(project):
    library, _, digest = project
    before = digest()
    edit(library / "plot.py", "1", "2")
    edit(library / "files.py", "pass", "return 1")
    assert digest() == before


def test_an_import_inside_a_function_counts(project):
    library, scripts, digest = project
    edit(library / "loss.py", "    return x * 2", "    from mtbridge.plot import COLOUR\n\n    return x * COLOUR")
    before = digest()
    edit(library / "plot.py", "1", "2")
    assert digest() != before
    edit(scripts / "run.py", "loss.loss(1)", "loss.loss(2)")
    assert digest() != before


def imported(program):
    return set(identity.modules(identity.SCRIPTS / f"{program}.py"))


def test_training_depends_on_what_trains_and_on_nothing_that_only_shows():
    modules = imported("finetune")
    assert {
        "mtbridge.training.finetuning",
        "mtbridge.training.batches",
        "mtbridge.models.encoder",
        "mtbridge.data.tokens",
    } <= modules
    assert not modules & {
        *("mtbridge.study.settings", "mtbridge.study.grid", "mtbridge.data.readers", "mtbridge.data.world"),
        *("mtbridge.presentation.tables", "mtbridge.presentation.figures", "mtbridge.presentation.page"),
        *("mtbridge.representations.similarity", "mtbridge.training.pretraining"),
    }


def test_figures_depend_on_no_training():
    assert not imported("figure") & {
        "mtbridge.training.finetuning",
        "mtbridge.models.encoder",
        "mtbridge.training.pretraining",
        "mtbridge.study.settings",
    }


def test_every_exception_is_a_module_of_the_project():
    for module in identity.NOT_MEANING:
        assert identity.module_file(module) is not None, module
