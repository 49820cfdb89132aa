"""The house: imports run one way, the map in the package's docstring is true, and no file or function is too long."""

import ast
import re
from pathlib import Path

import pytest

import mtbridge

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow" / "mtbridge"
MODULE_LINES, FUNCTION_LINES = 400, 60
# From the top down, as the package's docstring draws them.
ROOMS = re.findall(r"^    (\w+) {2,}\S", mtbridge.__doc__, flags=re.M)
FILES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py" or path.parent != LIBRARY)
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path):
    """(line, module of the library) of every import, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, one.removeprefix("mtbridge.")) for one in found if one.startswith("mtbridge."))


def module_of(dotted: str) -> str:
    """The module that an import names, whose last part may be a name inside it."""
    path = LIBRARY.joinpath(*dotted.split("."))
    return dotted if path.is_dir() or path.with_suffix(".py").is_file() else dotted.rpartition(".")[0]


def functions(tree: ast.Module):
    """(name, node) of every function, methods as Class.method; a function inside a function is part of it."""
    waiting = [("", node) for node in tree.body]
    while waiting:
        inside, node = waiting.pop()
        if isinstance(node, FUNCTIONS):
            yield f"{inside}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            waiting += [(f"{inside}{node.name}.", part) for part in node.body]


def public(dotted: str) -> bool:
    return not any(part.startswith("_") for part in dotted.split("."))


def test_the_map_shows_every_room_and_no_other():
    assert sorted(ROOMS) == sorted(path.name for path in LIBRARY.iterdir() if (path / "__init__.py").is_file())
    assert "base" in ROOMS[-1]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_module_imports_from_its_own_room_and_from_lower_ones_only(path):
    level = ROOMS.index(name(path).split(".")[0])
    for line, dotted in imports(path):
        room = dotted.split(".")[0]
        assert ROOMS.index(room) >= level, f"{path}:{line}: imports {dotted}, which stands above"


def test_no_circle_of_imports():
    graph = {name(path): {module_of(dotted) for _, dotted in imports(path)} - {name(path)} for path in FILES}
    done, open_ = set(), []

    def visit(module):
        assert module not in open_, f"a circle: {' -> '.join([*open_[open_.index(module) :], module])}"
        if module in done or module not in graph:
            return
        open_.append(module)
        for other in sorted(graph[module]):
            visit(other)
        done.add(open_.pop())

    for module in sorted(graph):
        visit(module)


def test_a_study_is_planned_and_claims_are_made_without_torch():
    free = ("base", "specs", "tasks", "data", "study", "inference")
    for path in FILES:
        if name(path).split(".")[0] in free:
            tree = ast.parse(path.read_text())
            names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
            names |= {node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module}
            assert not {one.split(".")[0] for one in names} & {"torch", "transformers", "accelerate"}, path


@pytest.mark.parametrize("path", [*FILES, *sorted((ROOT / "scripts").glob("*.py"))], ids=lambda path: path.stem)
def test_no_module_and_no_function_is_too_long(path):
    text = path.read_text()
    assert text.count("\n") <= MODULE_LINES, f"{path}: {text.count(chr(10))} lines, {MODULE_LINES} at most"
    for called, node in functions(ast.parse(text)):
        lines = node.end_lineno - node.lineno + 1
        assert lines <= FUNCTION_LINES, f"{path}:{node.lineno}: {called} has {lines} lines, {FUNCTION_LINES} at most"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_what_is_public_says_what_it_is(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path}: has no docstring"
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and public(node.name):
            assert ast.get_docstring(node), f"{path}:{node.lineno}: {node.name} has no docstring"
    for called, node in functions(tree):
        own = called.rpartition(".")[2]
        if public(called) and not own.startswith(("__", "visit_")):  # what a protocol of Python's asks for
            assert ast.get_docstring(node), f"{path}:{node.lineno}: {called} has no docstring"
