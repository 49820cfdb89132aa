"""Which definitions of a project refer to which others, across files. `identity` finds those that a program reaches."""

import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mtbridge.base.identity.canonical import ANY_METHOD, COMPUTED_IMPORT, OWN_NAMES, SUBCLASSES, Definition
from mtbridge.base.identity.definitions import Module, read_module

ROOT = Path(__file__).resolve().parents[4]

# Editing these never makes a result stale. Keep the list short, and never put a module here that computes.
NOT_MEANING = frozenset(
    f"mtbridge.base.{name}"
    for name in (
        *("devices", "errors", "files", "identity", "program", "progress", "session", "several_processes"),
        *("warm_start",),
    )
)

# Names of nodes that stand for more than one definition; no definition can have such a name.
STATEMENTS, MAIN, EVERYTHING = "!", "!main", "*"


class Node(NamedTuple):
    """A definition of a module, its STATEMENTS, the statements of its MAIN block, or EVERYTHING in it."""

    module: str
    name: str


class Target(NamedTuple):
    """What a reference refers to: a node, if it belongs to the project, and the rest of the name."""

    node: Node | None
    rest: str
    problem: str = ""  # why the whole module counts


class Place(NamedTuple):
    """A place where names do not show what code reaches."""

    module: str
    definition: str
    line: int
    why: str


class Project:
    """The programs and the library below a folder. Files are read when they are first asked for."""

    def __init__(self, root: Path, cache: Path | None = None, not_meaning: frozenset[str] = NOT_MEANING):
        self.library, self.scripts = root / "workflow" / "mtbridge", root / "scripts"
        self.not_meaning = not_meaning
        self.cache = cache
        self.read: dict[str, Sequence] = {}  # sha256 of a file -> the fields of its `Module`
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
    def known(self) -> dict[str, Sequence]:
        """What `read` held after earlier plans; parsing all files takes a second. The cache file is safe to delete."""
        try:
            content = json.loads(self.cache.read_text(encoding="utf-8")) if self.cache else {}
            return content["files"] if content.get("format") == cache_format() else {}
        except (OSError, ValueError, KeyError, AttributeError):
            return {}

    def remember(self) -> None:
        """Write what the project's files define to the cache, for the next plan; files that are gone are left out."""
        if not self.cache or not self.cache.parent.is_dir():
            return
        for module in self.modules():
            with contextlib.suppress(SyntaxError):  # the caller that needs the module reports it
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
        assert path is not None, f"{name} is no module of the project"
        content = path.read_bytes()
        key = hashlib.sha256(content).hexdigest()
        if key not in self.read:
            self.read[key] = self.known.get(key) or read_module(content, str(path))
        module = Module(*self.read[key])  # from the cache: lists in place of tuples
        return module._replace(definitions={name: Definition(*value) for name, value in module.definitions.items()})

    def content_of(self, module: str, names: list[str]) -> list[str]:
        """Digests of files beside a module."""
        path = self.file(module)
        assert path is not None, f"{module} is no module of the project"
        paths = [path.parent / name for name in names]
        return [hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing" for path in paths]

    def package(self, module: str) -> str:
        """The package that a module belongs to; a package belongs to itself, as relative imports have it."""
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
    """What the cache depends on besides the files: the code that reads definitions, and Python's grammar."""
    readers = (Path(__file__).with_name(f"{name}.py") for name in ("scopes", "harmless", "canonical", "definitions"))
    content = b"".join(path.read_bytes() for path in readers)
    return f"{sys.version_info.major}.{sys.version_info.minor} {hashlib.sha256(content).hexdigest()}"


class Graph:
    """Which definitions of a project refer to which others; the modules in `unused` are left out."""

    def __init__(self, project: Project, unused: frozenset[str] = frozenset()):
        self.project, self.unused = project, unused
        self.edges = functools.cache(self._edges)
        self.resolve = functools.cache(self._resolve)
        self.counts = functools.cache(self._counts)
        self.alone = functools.cache(lambda node: self.digest([node], False, frozenset()))
        self.may_be_called = functools.cache(self._may_be_called)

    def _counts(self, module: str) -> bool:
        """Whether a module belongs to the project and its content is meaning."""
        left_out = any(module == name or module.startswith(f"{name}.") for name in self.unused)
        return not left_out and module not in self.project.not_meaning and self.project.file(module) is not None

    def _resolve(self, module: str, reference: str) -> tuple[Target, ...]:
        """What a reference in a module refers to; several targets if it depends on what ran before."""
        if reference in (STATEMENTS, MAIN):
            return (Target(Node(module, reference), ""),)
        base, _, name = reference.partition(":")
        return self.find(self.absolute(module, base), name, frozenset())

    def absolute(self, module: str, base: str) -> str:
        """The absolute name of a reference's module: `base` may be relative, or empty for this module."""
        if not base.startswith("."):
            return base or module
        dots = len(base) - len(base.lstrip("."))
        package = self.project.package(module).split(".")
        return ".".join([*package[: len(package) - dots + 1], *([base[dots:]] if base[dots:] else [])])

    def find(self, module: str, name: str, seen: frozenset) -> tuple[Target, ...]:
        """What a dotted name refers to in a module. seen: aliases on the way, as imports may form a circle."""
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
        """A node's definition; None for EVERYTHING."""
        return self.project.module(node.module).definitions.get(node.name)

    def _edges(self, node: Node) -> list[tuple[str, Target]]:
        """The (label, target) pairs that a node refers to, in an order that does not depend on the node's place.

        EVERYTHING refers to all definitions of its module, labelled by their names; other labels are empty.
        """
        if node.name == EVERYTHING:
            content = self.project.module(node.module)
            methods = {name for name in content.definitions if "." in name}
            names = sorted(({*content.definitions} - {MAIN} - methods) | {*content.aliases})
            found = [(name, target) for name in names for target in self.find_own(node.module, name)]
            found += [(name, Target(Node(node.module, name), "")) for name in sorted(methods)]
            for module in self.project.submodules(node.module):
                found += [(module.rpartition(".")[2], target) for target in self.find(module, "", frozenset())]
            return found
        definition = self.definition(node)
        if definition is None:
            return []
        found = [("", target) for reference in definition.references for target in self.resolve(node.module, reference)]
        if any(why not in (COMPUTED_IMPORT, OWN_NAMES, SUBCLASSES, ANY_METHOD) for _, why in definition.reasons):
            found.append(("", Target(Node(node.module, EVERYTHING), "")))
        if self.project.module(node.module).stars and node.name != EVERYTHING:
            found.append(("", Target(Node(node.module, EVERYTHING), "")))
        return found

    def find_own(self, module: str, name: str) -> tuple[Target, ...]:
        """What a module's own name refers to; the name may also be STATEMENTS."""
        return self.resolve(module, name if name == STATEMENTS else f":{name}")

    def loads(self, module: str, reference: str) -> Iterator[str]:
        """The project modules that an import loads, packages first."""
        base, _, name = reference.partition(":")
        base = self.absolute(module, base)
        for path in (base, f"{base}.{name}") if name else (base,):
            if self.project.file(path) is not None:
                parts = path.split(".")
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))

    def methods(self, node: Node, attribute_names: frozenset[str] | None) -> list[tuple[str, Target]]:
        """The methods of a class that count if code reads attributes of these names (None: any): (name, target)."""
        definition = self.definition(node)
        names = definition.methods if definition else []
        if attribute_names is not None and not self.may_be_called(node):
            names = [name for name in names if name in attribute_names]
        return [(name, Target(Node(node.module, f"{node.name}.{name}"), "")) for name in names]

    def _may_be_called(self, node: Node) -> bool:
        """Whether a library may call a class's methods: the class has a base whose methods are not known."""
        definition = self.definition(node)
        for base in definition.bases if definition else ():
            for target in self.resolve(node.module, base):
                above = self.definition(target.node) if target.node and not target.rest else None
                if above is None or not above.is_split or self.may_be_called(target.node):
                    return True
        return False

    def digest(self, roots: Iterable[Node], names: bool, attribute_names: frozenset[str] | None) -> str:
        """Digest of all that is reached from roots, in the order in which it is reached.

        A definition's number in that order identifies it, and never its module or name. So moving or renaming it
        changes nothing, two definitions with the same form stay two, and recursion needs no special treatment.

        names: the definitions' own names and docstrings count too.
        attribute_names: see `methods`.
        """
        number = {node: position for position, node in enumerate(roots)}
        waiting, content = list(number), []
        for node in waiting:  # the list grows in the loop
            definition = self.definition(node)
            edges = [*self.edges(node), *self.methods(node, attribute_names)]
            content.append(f"{definition.form if definition else node.name} {len(edges)}")
            content += self.project.content_of(node.module, definition.files if definition else [])
            if names and definition:
                content += [node.name, definition.documentation]
            for label, target in edges:
                if target.node is not None and target.node not in number:
                    number[target.node] = len(number)
                    waiting.append(target.node)
                place = "" if target.node is None else str(number[target.node])
                content.append(f"{label}>{place}.{target.rest}")
        return hashlib.sha256("\n".join(content).encode()).hexdigest()
