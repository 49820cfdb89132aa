"""A digest of what the code that a program runs *means*. A run is stale when this digest changes, and only then.

The meaning of a program is the set of definitions that it reaches: functions, classes and constants. Starting from
scripts/<program>.py their names are followed through imports and attributes of modules. The statements of all imported
modules belong to it too. If a name cannot be followed, the whole module counts. IDENTITY.md says what is meaning, what
is not, and how to find out why something is stale:

    python -m mtbridge.base.identity finetune      lists the definitions that a program reaches
"""

import functools
import sys

from mtbridge.base.canonical import ANY_METHOD, COMPUTED_IMPORT, OWN_NAMES, SUBCLASSES
from mtbridge.base.references import EVERYTHING, MAIN, NOT_MEANING, ROOT, STATEMENTS, Graph, Node, Place, Project
from mtbridge.base.scopes import dotted


class Reach:
    """All that a program reaches.

    found: the nodes. roots: the program's statements, and those of the modules that it loads.
    """

    def __init__(self, graph: Graph, program: str):
        self.graph = graph
        self.found: dict[Node, None] = {}  # a set that keeps its order
        self.loaded: set[str] = set()
        self.reasons: set[str] = set()
        self.names: set[str] = set()  # of the attributes that code reads
        own = [node for name in (STATEMENTS, MAIN, "main") if graph.definition(node := Node(program, name))]
        others: set[Node] = set()
        self.waiting = list(own)
        # What is reached may import modules, whose statements reach more, and so on.
        while self.waiting:
            self.follow()
            others |= self.unnamed()
            self.waiting = [node for node in (*others, *self.methods()) if node not in self.found]
        statements = {node for node in others if node not in own}
        # The order of these statements has no meaning, so it must not depend on the names of their modules.
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
                self.names.update(definition.attributes)
                for reference in definition.imports:
                    for module in self.graph.loads(node.module, reference):
                        self.load(module)
            self.waiting += [target.node for _, target in self.graph.edges(node) if target.node is not None]

    def load(self, module: str) -> None:
        """Note that a module is imported, with its packages and what it imports."""
        waiting = [module]
        while waiting:
            module = waiting.pop()
            if module in self.loaded or not self.graph.counts(module):
                continue
            self.loaded.add(module)
            for reference in (f"{module}:", *self.graph.project.module(module).imports):
                waiting += self.graph.loads(module, reference)

    @property
    def attribute_names(self) -> frozenset[str] | None:
        """The names of all attributes that the code reads; None if some name is computed."""
        return None if ANY_METHOD in self.reasons else frozenset(self.names)

    def methods(self) -> list[Node]:
        """The methods, of the classes that are reached, whose names some code reads as attributes."""
        targets = (target for node in self.found for _, target in self.graph.methods(node, self.attribute_names))
        return [target.node for target in targets if target.node is not None]

    def unnamed(self) -> set[Node]:
        """Nodes that run, or may be reached, without a name: statements, computed imports, subclasses."""
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
        """The digest of all that is reached: 16 hex digits."""
        return self.graph.digest(self.roots, OWN_NAMES in self.reasons, self.attribute_names)[:16]


@functools.cache
def project() -> Project:
    """This project."""
    return Project(ROOT, ROOT / ".snakemake" / "definitions.json", NOT_MEANING)


@functools.cache
def graph(unused: frozenset[str]) -> Graph:
    """This project's definitions without unused modules."""
    return Graph(project(), unused)


@functools.cache
def digest(program: str, unused: frozenset[str] = frozenset()) -> str:
    """16 hex digits that change when the meaning of what `scripts/<program>.py` runs changes, and only then.

    They may differ between minor versions of Python, whose syntax trees differ.

    unused: modules (with all inside them) that the program uses only with other options than those of the run.
    """
    return Reach(graph(unused), program).digest()


def remember() -> None:
    """Write what was read of this project to the cache, for the next plan."""
    project().remember()


def unresolved(project: Project) -> list[Place]:
    """All places where names do not show what code reaches, so that whole modules count."""
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
