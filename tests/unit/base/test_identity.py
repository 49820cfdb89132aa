"""When code makes a result stale, and when it does not."""

from pathlib import Path

import pytest

from mtbridge.base.identity import unresolved
from mtbridge.base.identity.reach import Reach
from mtbridge.base.identity.references import EVERYTHING, Graph, Node, Project

# scripts/run.py runs `loss`; nothing runs `other`.
FILES = {
    "scripts/run.py": '''
        """Run."""
        def main():
            from mtbridge.loss import loss

            loss(1)

        if __name__ == "__main__":
            main()
        ''',
    "loss.py": '''
        """Losses."""
        FACTOR = 2

        def loss(x):
            return x * FACTOR

        def other(x):
            return x
        ''',
}


class Small:
    """A small project whose files can be written and edited."""

    def __init__(self, root: Path):
        self.root = root
        self.write("__init__.py", "")
        for path, text in FILES.items():
            self.write(path, text)

    def path(self, path: str) -> Path:
        return self.root / (path if path.startswith("scripts/") else f"workflow/mtbridge/{path}")

    def write(self, path: str, text: str) -> None:
        lines = text.strip("\n").splitlines()
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text("\n".join(line[indent:] for line in lines) + "\n")

    def edit(self, path: str, old: str, new: str) -> None:
        text = self.path(path).read_text()
        assert old in text
        self.path(path).write_text(text.replace(old, new))

    def library(self, **modules: str) -> None:
        """Write modules; `a__b` is mtbridge/a/b.py."""
        for name, text in modules.items():
            path = name.replace("__", "/") if not name.endswith("____init") else name[: -len("____init")] + "/__init__"
            self.write(f"{path}.py", text)

    def graph(self, *unused: str, not_meaning=frozenset({"mtbridge.files"})) -> Graph:
        return Graph(Project(self.root, not_meaning=not_meaning), frozenset(unused))

    def digest(self, *unused: str) -> str:
        return Reach(self.graph(*unused), "run").digest()

    def reached(self, *unused: str) -> set[str]:
        return {f"{node.module}:{node.name}" for node in Reach(self.graph(*unused), "run").found}

    def changes(self, path: str, old: str, new: str) -> bool:
        """Whether an edit changes the digest. It stays."""
        before = self.digest()
        self.edit(path, old, new)
        return self.digest() != before


@pytest.fixture
def small(tmp_path):
    return Small(tmp_path)


# ---- What is no meaning ----


def test_comments_docstrings_and_layout_are_not_meaning(small):
    assert not small.changes("loss.py", '"""Losses."""', '"""Another text."""\n\n# a comment')
    assert not small.changes("loss.py", "return x * FACTOR", '"""Twice."""\n\n    return (x   *   FACTOR)  # why')


def test_what_is_said_is_not_meaning(small):
    said = 'if x < 0:\n        raise ValueError("negative") from None\n    print(x, "is given", file=sys.stderr)'
    small.edit("loss.py", "return x * FACTOR", said)
    assert not small.changes("loss.py", '"negative"', 'f"{x} is negative", other(x)')
    assert not small.changes("loss.py", '"is given"', '"is there"')
    assert small.changes("loss.py", "ValueError", "KeyError")


def test_what_is_printed_to_a_file_is_meaning(small):
    small.edit("loss.py", "return x * FACTOR", 'print("a", file=x)')
    assert small.changes("loss.py", '"a"', '"b"')


def test_the_value_of_an_exit_is_meaning(small):
    small.edit("loss.py", "return x * FACTOR", "raise SystemExit(other(x))")
    assert small.changes("loss.py", "    return x\n", "    return -x\n")


def test_documentation_of_options_is_not_meaning(small):
    small.edit("scripts/run.py", "loss(1)", 'option("--size", help="how large", default=3)')
    assert not small.changes("scripts/run.py", "how large", "its size")
    assert small.changes("scripts/run.py", "3", "4")


def test_annotations_of_functions_and_variables_are_not_meaning(small):
    assert not small.changes("loss.py", "def loss(x):", "def loss(x: int) -> int:")
    small.edit("loss.py", "    return x * FACTOR", "    y = x\n    return x * FACTOR")
    assert not small.changes("loss.py", "y = x", "y: float = x")
    assert not small.changes("loss.py", "FACTOR = 2", "FACTOR: int = 2")


def test_annotations_in_a_class_and_of_a_decorated_function_are_meaning(small):
    small.edit("loss.py", "return x * FACTOR", "return Sizes(x)")
    small.edit("loss.py", "def other", "class Sizes:\n    size: int\n\n@checked\ndef other")
    assert small.changes("loss.py", "size: int", "size: float")
    small.edit("loss.py", "return Sizes(x)", "return other(x)")
    assert small.changes("loss.py", "def other(x)", "def other(x: int)")


def test_what_is_not_reached_is_not_meaning(small):
    assert not small.changes("loss.py", "    return x\n", "    return x + 1\n")
    assert not small.changes("loss.py", "def other", "NUMBER = 5\n\ndef other")


def test_listed_modules_count_by_their_names_alone(small):
    small.library(files="def write(x):\n    pass\n\nsetup(1)", kept="")
    small.edit("loss.py", "return x * FACTOR", "return files.write(x)")
    small.edit("loss.py", "FACTOR = 2", "from mtbridge import files")
    assert not small.changes("files.py", "pass", "return 1")
    assert not small.changes("files.py", "setup(1)", "setup(2)")
    assert small.changes("loss.py", "files.write", "files.read")


def test_import_statements_count_by_what_they_bind(small):
    small.edit("loss.py", "FACTOR = 2", "from math import sin as FACTOR")
    assert not small.changes("loss.py", "from math", "import os\nfrom math")
    small.edit("loss.py", "x * FACTOR", "x * F")
    assert small.changes("loss.py", "sin as FACTOR", "cos as F")
    assert small.changes("loss.py", "cos as F", "sin as F")
    assert not small.changes("loss.py", "import os\n", "import os\n__all__ = ['loss']\n")


# ---- Where a definition stands, and what it is called ----


def test_a_moved_module_and_reordered_definitions_change_nothing(small):
    before = small.digest()
    small.path("training").mkdir()
    small.path("loss.py").rename(small.path("training/objective.py"))
    small.write("training/__init__.py", '"""Training."""')
    small.edit("scripts/run.py", "mtbridge.loss", "mtbridge.training.objective")
    assert small.digest() == before
    small.edit("training/objective.py", "FACTOR = 2\n", "")
    small.edit("training/objective.py", "def other", "FACTOR = 2\n\n\ndef other")
    assert small.digest() == before


def test_a_definition_moved_to_another_module_changes_nothing(small):
    before = small.digest()
    small.edit("loss.py", "FACTOR = 2", "from mtbridge import constants")
    small.edit("loss.py", "* FACTOR", "* constants.FACTOR")
    small.library(constants="FACTOR = 2")
    assert small.digest() == before
    assert small.changes("constants.py", "2", "3")


def test_renamed_functions_constants_and_aliases_change_nothing(small):
    assert not small.changes("loss.py", "FACTOR", "SCALE")
    before = small.digest()
    small.edit("loss.py", "def loss(", "def objective(")
    small.edit("scripts/run.py", "import loss", "import objective as f")
    small.edit("scripts/run.py", "loss(1)", "f(1)")
    assert small.digest() == before
    small.edit("scripts/run.py", "from mtbridge.loss import objective as f", "import mtbridge.loss as m")
    small.edit("scripts/run.py", "f(1)", "m.objective(1)")
    assert small.digest() == before


def test_names_that_code_reads_are_meaning(small):
    small.edit("loss.py", "return x * FACTOR", "return {f.__name__: f for f in (other,)}")
    assert small.changes("loss.py", "other", "another")


def test_names_of_attributes_keywords_methods_and_strings_are_meaning(small):
    small.edit("loss.py", "return x * FACTOR", 'return A(x.size, key=1).run("text")')
    small.edit("loss.py", "def other", "class A:\n    def run(self, t):\n        self.t = t\n\ndef other")
    for old, new in (("size", "sizes"), ("key", "kex"), ("run", "go"), ('"text"', '"test"'), ("self.t", "self.u")):
        assert small.changes("loss.py", old, new), old


# ---- What is reached ----


def test_an_edited_constant_or_function_is_meaning(small):
    assert small.changes("loss.py", "FACTOR = 2", "FACTOR = 3")
    assert small.changes("loss.py", "x * FACTOR", "x / FACTOR")
    assert small.changes("scripts/run.py", "loss(1)", "loss(2)")


# Ways to reach `target`: what `loss` does, and what else the module defines.
WAYS = {
    "partial": ("return functools.partial(target, 1)", "import functools"),
    "argument": ("return map(target, x)", ""),
    "registry": ("return REGISTRY[x]", 'REGISTRY = {"a": [target]}'),
    "decorator": ("return decorated(x)", "@target\ndef decorated(x):\n    return x"),
    "default value": ("return f(x)", "def f(x, y=target):\n    return y"),
    "default value of a keyword": ("return f(x)", "def f(x, *, y=target):\n    return y"),
    "base class": ("return A(x)", "class A(target):\n    pass"),
    "method": ("return A(x).run()", "class A:\n    def run(self):\n        return target(self)"),
    "class field": ("return A(x)", "class A:\n    x: target"),
    "quoted class field": ("return A(x)", 'class A:\n    x: "list[target] | None"'),
    "nested function": ("def f():\n        def g():\n            return target\n        return g\n    return f", ""),
    "lambda": ("return lambda y, z=1: target(y)", ""),
    "comprehension": ("return [target(y) for y in x if y]", ""),
    "first source of a comprehension": ("return [target for target in target(x)]", ""),
    "augmented constant": ("return A", "A = []\nA += [target]"),
    "annotated constant": ("return A", "A: list = [target]"),
    "constant in a branch": ("return A", "if x:\n    A = 1\nelse:\n    A = target"),
    "function in a branch": ("return f()", "try:\n    x\nexcept OSError:\n    def f():\n        return target"),
    "constant of several names": ("return B", "A, B = target, target"),
    "computed constant": ("return A", "A = {name: value for name, value in [(1, target)]}"),
    "recursion": ("return f(x)", "def f(x):\n    return g(x)\n\ndef g(x):\n    return f(x) or target"),
    "exception": ("try:\n        pass\n    except target:\n        pass", ""),
    "match": ("match x:\n        case target.NAME:\n            return 1", ""),
    "formatted": ('return f"{target(x):>{x}}"', ""),
    "await": ("async def f():\n        async for y in target(x):\n            await y\n    return f", ""),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_reached_is_meaning(small, way):
    body, more = WAYS[way]
    target = "def target(x):\n    return 100"
    small.write("loss.py", f"{target}\n\n{more}\n\ndef loss(x):\n    {body}")
    assert "mtbridge.loss:target" in small.reached()
    assert small.changes("loss.py", "100", "101")


def test_a_program_without_the_usual_last_lines_has_its_main(small):
    small.edit("scripts/run.py", 'if __name__ == "__main__":\n    main()', "")
    assert small.changes("loss.py", "FACTOR = 2", "FACTOR = 3")


def test_recursion_ends_and_is_told_apart(small):
    text = "def a(x):\n    return b(x)\n\ndef b(x):\n    return a(x)\n\ndef loss(x):\n    return a(x)"
    small.write("loss.py", text)
    assert small.changes("loss.py", "def b(x):\n    return a(x)", "def b(x):\n    return b(x)")


def test_references_to_equal_definitions_are_told_apart(small):
    # Two lists with the same content are two lists.
    small.write("loss.py", "A = []\nB = []\n\ndef loss(x):\n    A.append(x)\n    return B")
    assert small.changes("loss.py", "return B", "return A")


def test_the_same_name_in_another_module_is_another_definition(small):
    small.library(a="def read():\n    return helper()\n\ndef helper():\n    return 1")
    small.library(b="def read():\n    return helper()\n\ndef helper():\n    return 2")
    small.write("loss.py", "from mtbridge import a, b\n\ndef loss(x):\n    return a.read()")
    assert small.changes("loss.py", "a.read", "b.read")


def test_targets_of_one_assignment_are_told_apart(small):
    small.edit("loss.py", "FACTOR = 2", "FACTOR, REST = pair")
    assert small.changes("loss.py", "FACTOR, REST", "REST, FACTOR")


def test_variables_of_a_loop_at_the_top_are_told_apart(small):
    small.edit("loss.py", "FACTOR = 2", "FACTOR = {}\nfor a in x:\n    for b in a:\n        FACTOR[a] = b")
    assert small.changes("loss.py", "FACTOR[a] = b", "FACTOR[b] = a")


def test_branches_are_told_apart(small):
    small.edit("loss.py", "FACTOR = 2", "if new:\n    FACTOR = 2\nelse:\n    FACTOR = 3")
    assert small.changes("loss.py", "if new", "if not new")


# ---- Names and scopes ----


@pytest.mark.parametrize(
    "body",
    [
        "other = x\n    return other",
        "return [other for other in x]",
        "for other in x:\n        pass\n    return lambda: other",
        "return (lambda other: other)(x)",
        "import os as other\n    return other",
        "def other():\n        return 1\n    return other()",
        "with x as other:\n        return other",
        "match x:\n        case [other, *_]:\n            return other",
        "y = [z for z in x if (other := z)]\n    return other",
        "return x.other",
        "return f(other=1)",
        "class A:\n        other: int = 1\n    return A",
    ],
)
def test_a_local_name_is_no_definition_of_the_module(small, body):
    small.edit("loss.py", "return x * FACTOR", body)
    assert "mtbridge.loss:other" not in small.reached()


@pytest.mark.parametrize(
    "body",
    [
        "class A:\n        other = other\n    return A",
        "global other\n    other = x",
        "class A:\n        other = 1\n        def f(self):\n            return other\n    return A",
        "return [other for y in x]",
        "other = 1\n    def f():\n        global other\n        return other\n    return f",
    ],
)
def test_a_name_that_may_be_the_modules_is(small, body):
    small.edit("loss.py", "return x * FACTOR", body)
    assert "mtbridge.loss:other" in small.reached()


def test_a_method_does_not_hide_the_modules_function(small):
    small.write("loss.py", "def f():\n    pass\n\nclass A:\n    def f(self):\n        return f()\n\nloss = A")
    before = small.digest()
    small.edit("loss.py", "def f():", "def g():")
    small.edit("loss.py", "return f()", "return g()")
    assert small.digest() == before


def test_an_argument_hides_a_module(small):
    small.library(tables="SIZE = 1")
    small.edit("loss.py", "FACTOR = 2", "from mtbridge import tables")
    small.edit("loss.py", "def loss(x):\n    return x * FACTOR", "def loss(tables):\n    return tables.SIZE")
    assert not small.changes("tables.py", "1", "2")


# ---- Modules ----


@pytest.mark.parametrize(
    "statement, use",
    [
        ("from mtbridge.room.tables import make", "make()"),
        ("from mtbridge.room.tables import make as f", "f()"),
        ("from mtbridge.room import tables", "tables.make()"),
        ("from mtbridge.room import tables as t", "t.make()"),
        ("from mtbridge import room", "room.tables.make()"),
        ("from mtbridge import room", "room.make()"),
        ("from mtbridge.room import make", "make()"),
        ("import mtbridge.room.tables", "mtbridge.room.tables.make()"),
        ("import mtbridge.room.tables as t", "t.make()"),
        ("from .room import tables", "tables.make()"),
        ("from .room.tables import make", "make()"),
        ("from . import room", "room.tables.make()"),
        ("import importlib", 'importlib.import_module("mtbridge.room.tables").make()'),
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_every_kind_of_import_is_followed(small, statement, use, inside):
    small.write("room/__init__.py", "from mtbridge.room.tables import make")
    small.library(room__tables="def make():\n    return 100\n\ndef unused():\n    return 5")
    if inside:
        small.edit("loss.py", "return x * FACTOR", f"{statement}\n    return {use}")
    else:
        small.edit("loss.py", "FACTOR = 2", statement)
        small.edit("loss.py", "return x * FACTOR", f"return {use}")
    before = small.digest()
    if "importlib" not in statement:
        small.edit("room/tables.py", "5", "6")
        assert small.digest() == before
    small.edit("room/tables.py", "100", "101")
    assert small.digest() != before


def test_a_package_may_give_a_submodules_name_to_a_function(small):
    small.write("room/__init__.py", "from mtbridge.room.make import make")
    small.library(room__make="def make():\n    return 100\n\ndef unused():\n    return 5")
    small.edit("loss.py", "return x * FACTOR", "from mtbridge.room import make\n    return make()")
    assert not small.changes("room/make.py", "5", "6")
    assert small.changes("room/make.py", "100", "101")


def test_an_import_that_may_fail_is_followed_both_ways(small):
    small.library(fast="def f():\n    return 100")
    fallback = "try:\n    from mtbridge.fast import f\nexcept ImportError:\n    def f():\n        return 7"
    small.edit("loss.py", "FACTOR = 2", fallback)
    small.edit("loss.py", "x * FACTOR", "f()")
    assert small.changes("fast.py", "100", "101")
    assert small.changes("loss.py", "7", "8")


@pytest.mark.parametrize(
    "use",
    [
        "getattr(tables, x)",
        "f(tables)",
        "[tables]",
        "vars(tables)",
        "tables.nothing",
        "tables.__dict__",
    ],
)
def test_a_module_as_a_value_counts_whole(small, use):
    small.library(tables="def make():\n    return 100")
    small.edit("loss.py", "return x * FACTOR", f"from mtbridge import tables\n    return {use}")
    assert small.changes("tables.py", "100", "101")
    assert small.changes("tables.py", "make", "build")  # the name is data
    assert not small.changes("tables.py", "def build", "__all__ = ['build']\n\n\ndef build")


@pytest.mark.parametrize(
    "use",
    [
        "globals()[x]",
        "vars()[x]",
        "eval(x)",
        "exec(x)",
        "sys.modules[__name__]",
        "from_sys[__name__]",
        "loss.__globals__",
    ],
)
def test_access_to_the_module_by_name_counts_it_whole(small, use):
    small.edit("loss.py", "FACTOR = 2", "import sys\nfrom sys import modules as from_sys")
    small.edit("loss.py", "return x * FACTOR", f"return {use}")
    assert small.changes("loss.py", "    return x\n", "    return x + 1\n")


def test_locals_at_the_top_are_the_module(small):
    small.edit("loss.py", "FACTOR = 2", "FACTOR = locals()")
    assert small.changes("loss.py", "    return x\n", "    return x + 1\n")


def test_a_star_import_counts_both_modules_whole(small):
    small.library(tables="def make():\n    return 100\n\ndef unused():\n    return 5")
    small.edit("loss.py", "FACTOR = 2", "from mtbridge.tables import *")
    small.edit("loss.py", "x * FACTOR", "make()")
    assert small.changes("tables.py", "100", "101")
    small.edit("loss.py", "make()", "x")
    assert small.changes("loss.py", "def other(x):\n    return x", "def other(x):\n    return 9")


@pytest.mark.parametrize(
    "use",
    [
        'importlib.import_module(f"mtbridge.readers.{x}")',
        'load("mtbridge." + x)',
        "load(NAMES[x])",
        'load("." + x, __package__)',
        "list(map(load, NAMES))",
        'load(".readers." + x, x)',
        '__import__("mtbridge.readers.%s" % x)',
    ],
)
def test_a_computed_import_reaches_the_modules_that_texts_name(small, use):
    small.write("readers/__init__.py", "")
    small.library(readers__csv="def read():\n    return 100", unrelated="X = 1")
    small.edit("loss.py", "FACTOR = 2", "import importlib\nfrom importlib import import_module as load")
    small.edit("loss.py", "def other", 'NAMES = {"csv": "mtbridge.readers.csv"}\n\ndef other')
    small.edit("loss.py", "return x * FACTOR", f"return {use}")
    assert small.changes("readers/csv.py", "100", "101")


def test_unused_modules_are_left_out(small):
    small.write("readers/__init__.py", "")
    small.library(readers__csv="setup()\n\ndef read():\n    return 100", readers_too="X = 1")
    small.edit("loss.py", "return x * FACTOR", "from mtbridge.readers import csv\n    return csv.read()")
    before = small.digest("mtbridge.readers"), small.digest("mtbridge.readers.csv"), small.digest("mtbridge.read")
    assert before[0] != small.digest() == before[2]
    small.edit("readers/csv.py", "100", "101")
    small.edit("readers/csv.py", "setup()", "setup(1)")
    after = small.digest("mtbridge.readers"), small.digest("mtbridge.readers.csv"), small.digest("mtbridge.read")
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False]


def test_a_neighbour_of_a_program_is_followed(small):
    small.write("scripts/_task.py", "def add():\n    return 100\n\nif __name__ == '__main__':\n    add(5)")
    small.edit("scripts/run.py", "loss(1)", "import _task\n    _task.add()")
    assert small.changes("scripts/_task.py", "100", "101")
    assert not small.changes("scripts/_task.py", "5", "6")
    assert small.changes("scripts/run.py", '"__main__":\n    main()', '"__main__":\n    main(1)')


# ---- What runs when a module is imported ----


@pytest.mark.parametrize(
    "statement",
    [
        "setup(100)",
        "os.environ['X'] = '100'",
        "if os:\n    setup(100)",
        "for i in range(100):\n    setup(i)",
        "try:\n    setup(100)\nexcept OSError:\n    pass",
        "with x:\n    y = 100",
        "SHARED += [100]",
        "_ = os.register(100)",
        "_ = setup(100)",
        "@register(100)\ndef f():\n    pass",
        "@register\ndef f():\n    return 100",
        "class A(metaclass=M):\n    x = 100",
        "class A:\n    setup(100)",
        "def f(x=setup(100)):\n    pass",
        "setup(VALUE)\nVALUE = 100",
        "setup(f)\n\ndef f():\n    return VALUE\n\nVALUE = 100",
    ],
)
@pytest.mark.parametrize("by", ["definition", "module", "package"])
def test_what_runs_on_import_is_meaning(small, statement, by):
    path = "room/__init__.py" if by == "package" else "effect.py"
    if by == "definition":
        small.edit("loss.py", "return x * FACTOR", "import mtbridge.effect\n    return x")
    elif by == "module":
        small.edit("loss.py", "FACTOR = 2", "FACTOR = 2\nfrom mtbridge import effect")
    else:
        small.edit("loss.py", "FACTOR = 2", "from mtbridge.room.constants import FACTOR")
        small.write("room/constants.py", "FACTOR = 2")
    start = "import os\nSHARED = []\n\ndef register(x):\n    return x\n\ndef setup(x):\n    return x\n\n"
    small.write(path, start + statement)
    assert small.changes(path, "100", "101")


def test_what_only_defines_does_not_run_on_import(small):
    small.library(
        effect="""
            import contextlib, re
            from dataclasses import dataclass, field
            VALUE = re.compile("100")
            NUMBERS = dict.fromkeys(range(100))
            WORDS = "100".split()
            LATER = lambda: setup(100)

            @dataclass(frozen=True)
            class A:
                x: list = field(default_factory=lambda: [100])

                @property
                def size(self):
                    return 100

            OBJECT = A(100)

            @contextlib.contextmanager
            def f():
                yield 100

            if __name__ == "__main__":
                print(setup(100))
            """,
    )
    small.edit("loss.py", "FACTOR = 2", "FACTOR = 2\nfrom mtbridge import effect")
    assert not small.changes("effect.py", "100", "101")


def test_imports_for_a_type_checker_do_not_run(small):
    small.library(effect="setup(100)")
    small.edit("loss.py", "FACTOR = 2", "FACTOR = 2\nif TYPE_CHECKING:\n    from mtbridge import effect")
    assert not small.changes("effect.py", "100", "101")


def test_what_runs_on_import_may_move(small):
    small.library(effect="setup(100)", second="setup(1)\nsetup(2)")
    small.edit("loss.py", "FACTOR = 2", "FACTOR = 2\nfrom mtbridge import effect, second")
    before = small.digest()
    small.path("effect.py").rename(small.path("zero.py"))
    small.edit("loss.py", "import effect, second", "import second, zero")
    assert small.digest() == before
    assert small.changes("second.py", "setup(1)\nsetup(2)", "setup(2)\nsetup(1)")  # in a module the order counts


@pytest.mark.parametrize("use, hook", [("Base.__subclasses__()", "pass"), ("Base", "def __init_subclass__(cls): pass")])
def test_subclasses_that_nobody_names_are_reached(small, use, hook):
    classes = f"class Base:\n    {hook}\n\nclass A(Base):\n    x = 100\n\n"
    small.write("loss.py", f"{classes}def loss(x):\n    return {use}")
    assert small.changes("loss.py", "100", "101")


def test_a_file_of_the_package_counts_by_its_content(small):
    small.library(base__files="def package_data(file, name):\n    pass")
    (small.path("words.yaml")).write_text("a: [b]\n")
    (small.path("unread.yaml")).write_text("a: [b]\n")
    text = 'from mtbridge.base.files import package_data\nWORDS = package_data(__file__, "words.yaml")\n'
    small.write("loss.py", text + "def loss(x):\n    return WORDS")
    before = small.digest()
    small.path("unread.yaml").write_text("a: [c]\n")
    assert small.digest() == before
    small.path("words.yaml").write_text("a: [c]\n")
    assert small.digest() != before


def test_a_name_for_type_checkers_alone_is_none(small):
    before = small.digest()
    text = small.path("loss.py").read_text()
    extra = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    Number = int | float\n"
    small.path("loss.py").write_text(text.replace("FACTOR = 2", extra + "FACTOR = 2"))
    assert small.digest() == before


# ---- Classes ----

CLASS = """
class Part:
    def asked(self):
        return 100

    def unasked(self):
        return 200

    def __len__(self):
        return 300

def loss(x):
    return Part().asked()
"""


def test_a_method_counts_where_an_attribute_of_its_name_is_asked_for(small):
    small.write("loss.py", CLASS)
    assert small.changes("loss.py", "100", "101")
    assert small.changes("loss.py", "300", "301")
    assert not small.changes("loss.py", "200", "201")


@pytest.mark.parametrize(
    "ask", ["getattr(Part(), x)()", "getattr(Part(), 'unasked')()", "operator.methodcaller('unasked')(Part())"]
)
def test_a_method_counts_where_its_name_is_computed_or_a_text(small, ask):
    small.write("loss.py", "import operator\n" + CLASS.replace("Part().asked()", ask))
    assert small.changes("loss.py", "200", "201")


def test_a_method_that_only_another_method_asks_for_counts(small):
    small.write("loss.py", CLASS.replace("return 100", "return self.unasked()"))
    assert small.changes("loss.py", "200", "201")


def test_an_inherited_method_counts(small):
    text = CLASS.replace("class Part:", "class Base:\n    def asked(self):\n        return 50\n\nclass Part(Base):")
    small.write("loss.py", text.replace("    def asked(self):\n        return 100\n", ""))
    assert small.changes("loss.py", "50", "51")
    assert not small.changes("loss.py", "200", "201")


@pytest.mark.parametrize("base", ["dict", "(Exception)", "(other.Base)", "(Base)"])
def test_all_methods_count_of_a_class_that_another_library_may_call(small, base):
    start = "import other\nclass Base(other.Thing):\n    pass\n"
    small.write("loss.py", start + CLASS.replace("class Part:", f"class Part({base.strip('()')}):"))
    assert small.changes("loss.py", "200", "201")


def test_all_methods_count_of_a_class_that_is_decorated_by_what_may_use_them(small):
    small.write("loss.py", "from other import register\n" + CLASS.replace("class Part:", "@register\nclass Part:"))
    assert small.changes("loss.py", "200", "201")


def test_a_property_counts_like_a_method(small):
    text = CLASS.replace("    def unasked", "    @property\n    def unasked")
    small.write("loss.py", text)
    assert not small.changes("loss.py", "200", "201")
    small.write("loss.py", text.replace("Part().asked()", "Part().unasked"))
    assert small.changes("loss.py", "200", "201")


def test_the_order_of_methods_and_the_place_of_a_class_are_no_meaning(small):
    small.write("loss.py", CLASS)
    before = small.digest()
    first, second = "    def asked(self):\n        return 100\n", "    def unasked(self):\n        return 200\n"
    small.write("loss.py", CLASS.replace(first, "@").replace(second, first).replace("@", second))
    assert small.digest() == before


# ---- The cache ----


def test_a_cached_file_means_the_same_and_an_edited_one_is_read_again(small, tmp_path):
    cache = tmp_path / "definitions.json"
    first = Project(tmp_path, cache)
    before = Reach(Graph(first), "run").digest()
    first.remember()
    second = Project(tmp_path, cache)
    assert len(second.known) == 3
    assert Reach(Graph(second), "run").digest() == before
    small.edit("loss.py", "FACTOR = 2", "FACTOR = 3")
    third = Project(tmp_path, cache)
    assert Reach(Graph(third), "run").digest() != before
    third.remember()
    assert len(Project(tmp_path, cache).known) == 3  # nothing of files that are gone


def test_an_unreadable_cache_is_none(small, tmp_path):
    cache = tmp_path / "definitions.json"
    for content in ("", "[]", "{}", '{"format": "another", "files": {}}'):
        cache.write_text(content)
        assert Project(tmp_path, cache).known == {}
    assert Reach(Graph(Project(tmp_path, cache)), "run").digest() == small.digest()


def test_places_are_told_with_their_line(small):
    small.edit("loss.py", "return x * FACTOR", "return globals()")
    small.library(tables="from mtbridge import loss\nX = loss\nY = loss.nothing")
    assert [tuple(place) for place in unresolved(Project(small.root))] == [
        ("mtbridge.tables", "X", 2, "mtbridge.loss as a value"),
        ("mtbridge.tables", "Y", 3, "mtbridge.loss has no nothing"),
        ("mtbridge.loss", "loss", 5, "globals"),
    ]
    assert Node("mtbridge.loss", EVERYTHING) in Reach(small.graph(), "run").found
