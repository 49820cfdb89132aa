"""What the code that a program runs *means*, as a digest: a run is stale when this changes, and not otherwise.

The meaning of a program is the set of definitions that it reaches: functions, classes and constants, followed by their
names from scripts/<program>.py through imports and attributes of modules, and the statements of all modules that are
imported on the way. Where a name cannot be followed, the whole module counts. IDENTITY.md says what is meaning, what
is not, and how to find out why something is stale:

    python -m mtbridge.base.identity finetune      lists the definitions that a program reaches
"""

import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mtbridge.base.canonical import COMPUTED_IMPORT, OWN_NAMES, SUBCLASSES, Definition
from mtbridge.base.definitions import Module, read_module
from mtbridge.base.scopes import dotted

ROOT = Path(__file__).resolve().parents[3]

# Editing these never makes a result stale. Keep the list short, and never put a module here that computes.
NOT_MEANING = frozenset(
    f"mtbridge.base.{name}"
    for name in (
        *("devices", "errors", "files", "identity", "program", "progress", "session", "several_processes"),
        *("warm_start",),
    )
)

# Names of a module that are no definitions.
STATEMENTS, MAIN, EVERYTHING = "!", "!main", "*"


class Node(NamedTuple):
    """A definition of a module, its STATEMENTS, those of its MAIN block, or EVERYTHING in it."""

    module: str
    name: str


class Target(NamedTuple):
    """What a reference means: a node, if it is the project's, and the rest of the name."""

    node: Node | None
    rest: str
    problem: str = ""  # why a whole module counts


class Place(NamedTuple):
    """Where names do not tell what code reaches."""

    module: str
    definition: str
    line: int
    why: str


class Project:
    """The programs and the library below a folder, as far as they have been read."""

    def __init__(self, root: Path, cache: Path | None = None, not_meaning: frozenset[str] = NOT_MEANING):
        self.library, self.scripts = root / "workflow" / "mtbridge", root / "scripts"
        self.not_meaning = not_meaning
        self.cache = cache
        self.read: dict[str, list] = {}
        self.module = functools.cache(self._module)
        self.file = functools.cache(self._file)

    # ---- Files ----

    def _file(self, module: str) -> Path | None:
        """The file of a project module (`mtbridge.x`, or a program's neighbour in scripts/), None for any other."""
        first, *rest = module.split(".")
        if first != "mtbridge":
            path = self.scripts / f"{first}.py"
            return path if first and not rest and path.is_file() else None
        path = self.library.joinpath(*rest)
        candidates = (path / "__init__.py", path.with_suffix(".py"))
        return next((path for path in candidates if path.is_file()), None)

    @functools.cached_property
    def known(self) -> dict[str, list]:
        """What files of some content define, from earlier plans; parsing them all takes a second. Safe to delete."""
        try:
            content = json.loads(self.cache.read_text(encoding="utf-8")) if self.cache else {}
            return content["files"] if content.get("format") == cache_format() else {}
        except (OSError, ValueError, KeyError, AttributeError):
            return {}

    def remember(self) -> None:
        """Keep what the project's files define for the next plan, and nothing of files that are gone."""
        if not self.cache or not self.cache.parent.is_dir():
            return
        for module in self.modules():
            with contextlib.suppress(SyntaxError):  # whoever needs the module will say so
                self.module(module)
        if self.read.keys() == self.known.keys():
            return
        temporary = self.cache.with_suffix(f".{os.getpid()}")
        try:
            temporary.write_text(json.dumps({"format": cache_format(), "files": self.read}), encoding="utf-8")
            os.replace(temporary, self.cache)
        except OSError:  # a full or read-only disk; the next plan reads the files again
            temporary.unlink(missing_ok=True)

    def _module(self, name: str) -> Module:
        """The definitions of a project module."""
        path = self.file(name)
        content = path.read_bytes()
        key = hashlib.sha256(content).hexdigest()
        if key not in self.read:
            self.read[key] = self.known.get(key) or read_module(content, str(path))
        found = Module(*self.read[key])
        return found._replace(definitions={name: Definition(*value) for name, value in found.definitions.items()})

    def content_of(self, module: str, names: list[str]) -> list[str]:
        """Digests of files beside a module."""
        paths = [self.file(module).parent / name for name in names]
        return [hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing" for path in paths]

    def package(self, module: str) -> str:
        """The package in which a module stands, or which it is."""
        path = self.file(module)
        return module if path is not None and path.name == "__init__.py" else module.rpartition(".")[0]

    def submodules(self, module: str) -> list[str]:
        """The modules directly inside a package."""
        path = self.file(module)
        if path is None or path.name != "__init__.py":
            return []
        inside = [part.stem for part in path.parent.glob("*.py") if part.name != "__init__.py"]
        inside += [part.parent.name for part in path.parent.glob("*/__init__.py")]
        return [f"{module}.{name}" for name in sorted(inside)]

    def modules(self) -> list[str]:
        """All modules of the library, and the programs."""
        found, waiting = sorted(path.stem for path in self.scripts.glob("*.py")), ["mtbridge"]
        while waiting:
            found.append(waiting.pop())
            waiting += self.submodules(found[-1])
        return [module for module in found if self.file(module)]


def cache_format() -> str:
    """What the content of a cache depends on besides the files: the reader of definitions, and Python's grammar."""
    readers = (Path(__file__).with_name(f"{name}.py") for name in ("scopes", "canonical", "definitions"))
    content = b"".join(path.read_bytes() for path in readers)
    return f"{sys.version_info.major}.{sys.version_info.minor} {hashlib.sha256(content).hexdigest()}"


class Graph:
    """Which definitions of a project refer to which, without those of `unused` modules."""

    def __init__(self, project: Project, unused: frozenset[str] = frozenset()):
        self.project, self.unused = project, unused
        self.edges = functools.cache(self._edges)
        self.resolve = functools.cache(self._resolve)
        self.counts = functools.cache(self._counts)
        self.alone = functools.cache(lambda node: self.digest([node], False))

    def _counts(self, module: str) -> bool:
        """Whether a module's content is meaning."""
        left_out = any(module == name or module.startswith(f"{name}.") for name in self.unused)
        return not left_out and module not in self.project.not_meaning and self.project.file(module) is not None

    def _resolve(self, module: str, reference: str) -> tuple[Target, ...]:
        """What a reference in a module means; several where it depends on what ran before."""
        if reference in (STATEMENTS, MAIN):
            return (Target(Node(module, reference), ""),)
        base, _, name = reference.partition(":")
        return self.find(self.absolute(module, base), name, frozenset())

    def absolute(self, module: str, base: str) -> str:
        """The module that is meant by a base: none for this one, perhaps relative."""
        if not base.startswith("."):
            return base or module
        dots = len(base) - len(base.lstrip("."))
        package = self.project.package(module).split(".")
        return ".".join([*package[: len(package) - dots + 1], *([base[dots:]] if base[dots:] else [])])

    def find(self, module: str, name: str, seen: frozenset) -> tuple[Target, ...]:
        """What a dotted name means in a module."""
        if not self.counts(module):
            is_project = self.project.file(module) is not None
            return (Target(None, f"~{name}" if is_project else f"{module}.{name}".rstrip(".")),)
        if not name:
            return (Target(Node(module, EVERYTHING), "", f"{module} as a value"),)
        first, _, rest = name.partition(".")
        content, inside = self.project.module(module), f"{module}.{first}"
        has_submodule = self.project.file(inside) is not None
        found: tuple[Target, ...] = ()
        if first in content.definitions:
            found = (Target(Node(module, first), rest),)
        elif first in content.aliases and (module, name) not in seen:
            base, _, meant = content.aliases[first].partition(":")
            base = self.absolute(module, base)
            has_submodule = has_submodule and not (base == inside or f"{base}.{meant}" == inside)
            found = self.find(base, f"{meant}.{rest}".strip("."), seen | {(module, name)})
        for star in () if found else content.stars:
            base = self.absolute(module, star.removesuffix(":"))
            if self.counts(base) and (module, name) not in seen:
                found += self.find(base, name, seen | {(module, name)})
        if has_submodule:
            found += self.find(inside, rest, seen)
        if not found and first in ("__file__", "__name__"):
            return (Target(None, f"~{name}"),)
        return found or (Target(Node(module, EVERYTHING), name, f"{module} has no {first}"),)

    def definition(self, node: Node) -> Definition | None:
        """A node's definition; EVERYTHING has none of its own."""
        return self.project.module(node.module).definitions.get(node.name)

    def _edges(self, node: Node) -> list[tuple[str, Target]]:
        """What a node refers to, in an order that does not depend on where it stands; with labels where there are."""
        if node.name == EVERYTHING:
            content = self.project.module(node.module)
            names = sorted(({*content.definitions} - {MAIN}) | {*content.aliases})
            found = [(name, target) for name in names for target in self.find_own(node.module, name)]
            for module in self.project.submodules(node.module):
                found += [(module.rpartition(".")[2], target) for target in self.find(module, "", frozenset())]
            return found
        definition = self.definition(node)
        if definition is None:
            return []
        found = [("", target) for reference in definition.references for target in self.resolve(node.module, reference)]
        if any(why not in (COMPUTED_IMPORT, OWN_NAMES, SUBCLASSES) for _, why in definition.reasons):
            found.append(("", Target(Node(node.module, EVERYTHING), "")))
        if self.project.module(node.module).stars and node.name != EVERYTHING:
            found.append(("", Target(Node(node.module, EVERYTHING), "")))
        return found

    def find_own(self, module: str, name: str) -> tuple[Target, ...]:
        """What a module's own name means, one of its statements' included."""
        return self.resolve(module, name if name == STATEMENTS else f":{name}")

    def loads(self, module: str, reference: str) -> Iterator[str]:
        """The project modules that an import loads, packages first."""
        base, _, name = reference.partition(":")
        base = self.absolute(module, base)
        for path in (base, f"{base}.{name}") if name else (base,):
            if self.project.file(path) is not None:
                parts = path.split(".")
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))

    def digest(self, roots: Iterable[Node], names: bool) -> str:
        """Digest of all that is reached from roots, in the order in which it is reached.

        A definition is known by its number in that order and never by its place. So two with the same form are two, and
        recursion needs no care. names: the definitions' own names and docstrings count too.
        """
        number = {node: place for place, node in enumerate(roots)}
        waiting, content = list(number), []
        for node in waiting:  # grows
            definition = self.definition(node)
            content.append(f"{definition.form if definition else node.name} {len(self.edges(node))}")
            content += self.project.content_of(node.module, definition.files if definition else [])
            if names and definition:
                content += [node.name, definition.documentation]
            for label, target in self.edges(node):
                if target.node is not None and target.node not in number:
                    number[target.node] = len(number)
                    waiting.append(target.node)
                content.append(f"{label}>{number.get(target.node, '')}.{target.rest}")
        return hashlib.sha256("\n".join(content).encode()).hexdigest()


class Reach:
    """All that a program reaches.

    found: the nodes. roots: the program's statements, and those of the modules that it loads.
    """

    def __init__(self, graph: Graph, program: str):
        self.graph, self.found, self.loaded = graph, dict.fromkeys(()), set()
        self.reasons: set[str] = set()
        own = [node for name in (STATEMENTS, MAIN, "main") if graph.definition(node := Node(program, name))]
        others: set[Node] = set()
        self.waiting = list(own)
        while self.waiting:
            self.follow()
            others |= self.unnamed()
            self.waiting = [node for node in others if node not in self.found]
        statements = {node for node in others if node not in own}
        # Their order is no meaning, and must not come from their modules' names.
        self.roots = own + sorted(statements, key=lambda node: (graph.alone(node), node))

    def follow(self) -> None:
        """Reach all that the waiting nodes refer to."""
        while self.waiting:
            node = self.waiting.pop()
            if node in self.found:
                continue
            self.found[node] = None
            self.load(node.module)
            definition = self.graph.definition(node)
            if definition is not None:
                self.reasons |= {why for _, why in definition.reasons}
                for reference in definition.imports:
                    for module in self.graph.loads(node.module, reference):
                        self.load(module)
            self.waiting += [target.node for _, target in self.graph.edges(node) if target.node is not None]

    def load(self, module: str) -> None:
        """Import a module, its package, and what it imports."""
        waiting = [module]
        while waiting:
            module = waiting.pop()
            if module in self.loaded or not self.graph.counts(module):
                continue
            self.loaded.add(module)
            for reference in (f"{module}:", *self.graph.project.module(module).imports):
                waiting += self.graph.loads(module, reference)

    def unnamed(self) -> set[Node]:
        """What runs or may be reached without a name: statements, computed imports, subclasses."""
        project = self.graph.project
        found = {Node(module, STATEMENTS) for module in self.loaded if STATEMENTS in project.module(module).definitions}
        if SUBCLASSES in self.reasons:
            found |= {Node(module, name) for module in self.loaded for name in project.module(module).classes}
        if COMPUTED_IMPORT in self.reasons:
            definitions = (self.graph.definition(node) for node in self.found)
            for name in {name for definition in definitions if definition for name in definition.module_names}:
                while name and project.file(name) is None:
                    name = name.rpartition(".")[0]
                found |= {Node(name, EVERYTHING)} if name and self.graph.counts(name) else set()
        return found

    def digest(self) -> str:
        """16 hex digits."""
        return self.graph.digest(self.roots, OWN_NAMES in self.reasons)[:16]


@functools.cache
def project() -> Project:
    """This project."""
    return Project(ROOT, ROOT / ".snakemake" / "definitions.json")


@functools.cache
def graph(unused: frozenset[str]) -> Graph:
    """This project's definitions without unused modules."""
    return Graph(project(), unused)


@functools.cache
def digest(program: str, unused: frozenset[str] = frozenset()) -> str:
    """16 hex digits that change when the meaning of what `scripts/<program>.py` runs changes, and else never.

    They may differ between minor versions of Python, whose syntax trees differ.

    unused: modules (with all inside them) that the program reaches only for options other than those it is given.
    """
    return Reach(graph(unused), program).digest()


def remember() -> None:
    """Keep what was read for the next plan."""
    project().remember()


def unresolved(project: Project) -> list[Place]:
    """Where names do not tell what code reaches, so that whole modules count."""
    places, graph = [], Graph(project)
    for module in filter(graph.counts, project.modules()):
        for name, definition in project.module(module).definitions.items():
            problems = [tuple(reason) for reason in definition.reasons]
            targets = [target for reference in definition.references for target in graph.resolve(module, reference)]
            problems += [(definition.line, target.problem) for target in targets if target.problem]
            places += [Place(module, name, line, why) for line, why in dict.fromkeys(problems)]
        places += [Place(module, "", 1, f"everything from {dotted(star)}") for star in project.module(module).stars]
    return places


if __name__ == "__main__":
    if len(sys.argv) != 2 or project().file(sys.argv[1]) is None:
        sys.exit("error: expected a program of scripts/, as in: python -m mtbridge.base.identity finetune")
    for node in sorted(Reach(graph(frozenset()), sys.argv[1]).found):
        print(f"{node.module}:{node.name}")
