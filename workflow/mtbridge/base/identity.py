"""What the code that a program runs *means*, as a digest: a run is stale when this changes, and not otherwise.

A program's code is the project modules that it really imports, found from the import statements, those inside
functions too. A module's meaning is its syntax tree without docstrings, error texts and what is printed; comments,
blank lines and layout are not in the tree. Modules whose content cannot change a result are left out.
"""

import ast
import contextlib
import functools
import hashlib
import json
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import whole

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = ROOT / "workflow" / "mtbridge"
SCRIPTS = ROOT / "scripts"

# Editing these never makes a result stale. Keep the list short, and never put a module here that computes.
NOT_MEANING = frozenset(
    {
        "mtbridge",
        "mtbridge.base.devices",
        "mtbridge.base.errors",
        "mtbridge.base.files",
        "mtbridge.base.progress",
        "mtbridge.base.program",
        "_library",
        "_warm",
    }
)


def module_file(module: str) -> Path | None:
    """The file of a project module (`mtbridge.x`, or a program's neighbour in scripts/), None for any other."""
    if module.split(".")[0] == "mtbridge":
        path = LIBRARY.joinpath(*module.split(".")[1:])
        candidates = [path / "__init__.py", path.with_suffix(".py")]
    else:
        candidates = [SCRIPTS / f"{module}.py"] if "." not in module else []
    return next((path for path in candidates if path.is_file()), None)


# What files of some content mean: parsing them all is a third of a second of every plan. Safe to delete.
CACHE = ROOT / ".snakemake" / "meanings.json"


@functools.cache
def meanings() -> dict[str, list]:
    """The cache of earlier plans: sha256 of a file's content -> [digest of its meaning, names it imports]."""
    try:
        return dict(json.loads(CACHE.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def remember() -> None:
    """Keep what was parsed for the next plan."""
    if CACHE.parent.is_dir() and meanings():
        with contextlib.suppress(MtbridgeError, OSError), whole(CACHE) as temporary:
            temporary.write_text(json.dumps(meanings()), encoding="utf-8")


@functools.cache
def parse(path: Path) -> tuple[str, frozenset[str]]:
    """Digest of a file's meaning, and the names that it imports."""
    content = path.read_bytes()
    key = hashlib.sha256(content).hexdigest()
    if key not in meanings():
        meanings()[key] = list(meaning(ast.parse(content, str(path))))
    found, imported = meanings()[key]
    return found, frozenset(imported)


def meaning(tree: ast.Module) -> tuple[str, list[str]]:
    """Digest of a syntax tree without its docstrings, and the names that it imports."""
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module)
            imported.update(f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            node.exc.args = []  # an error's text
        said = node.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
        if said is not None and getattr(said.func, "id", None) in ("print", "progress"):
            said.args = []
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if body and isinstance(body[0], ast.Expr) and isinstance(getattr(body[0].value, "value", None), str):
                node.body = body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), sorted(imported)


def modules(program: Path, unused: frozenset[str] = frozenset()) -> dict[str, Path]:
    """The project modules that a program imports, directly or not, less the `unused`, and the program itself."""
    found, waiting = {program.stem: program}, [program]
    while waiting:
        for module in sorted(parse(waiting.pop())[1]):
            path = module_file(module)
            if path is not None and module not in found and not module.startswith(tuple(unused)):
                found[module] = path
                waiting.append(path)
    return found


@functools.cache
def digest(program: str, unused: frozenset[str] = frozenset()) -> str:
    """16 hex digits that change when, and only when, the meaning of what `scripts/<program>.py` runs changes.

    unused: modules that the program imports only for options other than those it is given.
    """
    content = hashlib.sha256()
    for module, path in sorted(modules(SCRIPTS / f"{program}.py", unused).items()):
        if module not in NOT_MEANING:
            content.update(f"{module} {parse(path)[0]}\n".encode())
    return content.hexdigest()[:16]
