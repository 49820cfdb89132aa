"""All definitions that a program reaches."""

from mtbridge.base.identity.canonical import ANY_METHOD, COMPUTED_IMPORT, OWN_NAMES, SUBCLASSES
from mtbridge.base.identity.references import EVERYTHING, MAIN, STATEMENTS, Graph, Node


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
