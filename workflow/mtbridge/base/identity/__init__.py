"""A digest of what the code that a program runs *means*. A run is stale when this digest changes, and only then.

The meaning of a program is the set of definitions that it reaches: functions, classes and constants. Starting from
scripts/<program>.py their names are followed through imports and attributes of modules. The statements of all imported
modules belong to it too. If a name cannot be followed, the whole module counts. README.md says what is meaning, what
is not, and how to find out why something is stale:

    python -m mtbridge.base.identity finetune      lists the definitions that a program reaches
"""

import functools

from mtbridge.base.identity.reach import Reach
from mtbridge.base.identity.references import NOT_MEANING, ROOT, Graph, Place, Project
from mtbridge.base.identity.scopes import dotted


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
