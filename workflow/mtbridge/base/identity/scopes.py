"""Which names a piece of code binds, and what an imported name refers to.

A *reference* says what a name refers to, in this module or another:

    "mtbridge.training.loss:loss"   the name `loss` of that module; a module may be relative ("..training:loss")
    "numpy:linalg.norm"             the same for any library, and for attributes of a name
    ":loss.weight"                  the name `loss` of this module, then its attribute `weight`
"""

import ast
from collections.abc import Iterable
from typing import NamedTuple

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
IMPORTS = (ast.Import, ast.ImportFrom)


class Scope(NamedTuple):
    """The names that a function, class or comprehension binds: each with its references if imported, else with None."""

    is_class: bool
    names: dict[str, list]
    module_names: set[str]  # declared `global`


def imported_names(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """The names that an import statement binds, and their references."""
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return {alias.asname or alias.name: f"{module}:{alias.name}" for alias in node.names if alias.name != "*"}
    # `import a.b` binds a, `import a.b as c` binds c to a.b
    return {alias.asname or alias.name.split(".")[0]: f"{alias.name if alias.asname else alias.name.split('.')[0]}:"
            for alias in node.names}  # fmt: skip


def imported_modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    """References to what an import statement loads: modules, and names that may be modules."""
    if isinstance(node, ast.Import):
        return [f"{alias.name}:" for alias in node.names]
    module = "." * node.level + (node.module or "")
    return [f"{module}:{'' if alias.name == '*' else alias.name}" for alias in node.names]


def bound_names(nodes: Iterable[ast.AST]) -> tuple[dict[str, list], set[str], set[str]]:
    """Names that statements bind in their scope (see `Scope`), names declared global, and names declared nonlocal."""
    names: dict[str, list] = {}
    outer: tuple[set[str], set[str]] = (set(), set())
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.setdefault(node.id, []).append(None)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            names.setdefault(node.name, []).append(None)
            # The body is a scope of its own; decorators, bases and defaults are evaluated in this one.
            inside = node.bases if isinstance(node, ast.ClassDef) else [*node.args.defaults, *node.args.kw_defaults]
            waiting += [*node.decorator_list, *(part for part in inside if part is not None)]
        elif isinstance(node, ast.Lambda):
            waiting += [part for part in (*node.args.defaults, *node.args.kw_defaults) if part is not None]
        elif isinstance(node, COMPREHENSIONS):  # only `:=` in them binds a name outside
            waiting += [part.target for part in ast.walk(node) if isinstance(part, ast.NamedExpr)]
        elif isinstance(node, IMPORTS):
            for name, reference in imported_names(node).items():
                names.setdefault(name, []).append(reference)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            outer[isinstance(node, ast.Nonlocal)].update(node.names)
        else:
            for field in ("name", "rest"):  # of `except … as` and `case` patterns
                if isinstance(bound := getattr(node, field, None), str):
                    names.setdefault(bound, []).append(None)
            waiting += ast.iter_child_nodes(node)
    return {name: bindings for name, bindings in names.items() if name not in outer[0] | outer[1]}, *outer


def dotted(reference: str) -> str:
    """The dotted name of a reference, as code would write it: "numpy.linalg.norm"."""
    return reference.replace(":", ".", 1).strip(".")


def add(reference: str, attributes: Iterable[str]) -> str:
    """The reference to an attribute (of an attribute …) of what a reference refers to."""
    return ".".join([reference.removesuffix(":") + ":" if reference.endswith(":") else reference, *attributes]).replace(
        ":.", ":"
    )


def parameters(arguments: ast.arguments) -> list[str]:
    """The names of a function's parameters."""
    every = (*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg)
    return [parameter.arg for parameter in every if parameter is not None]
