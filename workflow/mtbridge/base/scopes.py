"""Which names a piece of code binds, and what an imported one stands for.

A name that stands for something of another module is a *reference*:

    "mtbridge.training.loss:loss"   the name `loss` of that module; a module may be relative ("..training:loss")
    "numpy:linalg.norm"             the same for any library, and for attributes of a name
    ":loss.weight"                  the name `loss` of this module, then its attribute `weight`
"""

import ast
from typing import NamedTuple

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
IMPORTS = (ast.Import, ast.ImportFrom)


class Scope(NamedTuple):
    """A function's, class's or comprehension's own names; an imported one with what it stands for, else None."""

    is_class: bool
    names: dict[str, list]
    module_names: set[str]  # declared `global`


def imported_names(node) -> dict[str, str]:
    """The names that an import statement binds, and what they stand for."""
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return {alias.asname or alias.name: f"{module}:{alias.name}" for alias in node.names if alias.name != "*"}
    # `import a.b` binds a, `import a.b as c` binds c to a.b
    return {alias.asname or alias.name.split(".")[0]: f"{alias.name if alias.asname else alias.name.split('.')[0]}:"
            for alias in node.names}  # fmt: skip


def imported_modules(node) -> list[str]:
    """What an import statement loads: modules, and names that may be modules."""
    if isinstance(node, ast.Import):
        return [f"{alias.name}:" for alias in node.names]
    module = "." * node.level + (node.module or "")
    return [f"{module}:{'' if alias.name == '*' else alias.name}" for alias in node.names]


def bound_names(nodes) -> tuple[dict[str, list], set[str], set[str]]:
    """Names that statements bind in their own scope (see `Scope`), those declared global, and those nonlocal."""
    names: dict[str, list] = {}
    outer: tuple[set[str], set[str]] = (set(), set())
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.setdefault(node.id, []).append(None)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            names.setdefault(node.name, []).append(None)
            inside = node.bases if isinstance(node, ast.ClassDef) else [*node.args.defaults, *node.args.kw_defaults]
            waiting += [*node.decorator_list, *(part for part in inside if part is not None)]
        elif isinstance(node, ast.Lambda):
            waiting += [part for part in (*node.args.defaults, *node.args.kw_defaults) if part is not None]
        elif isinstance(node, COMPREHENSIONS):  # of these only `:=` binds a name outside
            inside = [part for part in ast.walk(node) if isinstance(part, ast.NamedExpr)]
            waiting += [part.target for part in inside]
        elif isinstance(node, IMPORTS):
            for name, meant in imported_names(node).items():
                names.setdefault(name, []).append(meant)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            outer[isinstance(node, ast.Nonlocal)].update(node.names)
        else:
            for name in (getattr(node, "name", None), getattr(node, "rest", None)):  # except … as, case patterns
                if isinstance(name, str):
                    names.setdefault(name, []).append(None)
            waiting += ast.iter_child_nodes(node)
    return {name: found for name, found in names.items() if name not in outer[0] | outer[1]}, *outer


def dotted(reference: str) -> str:
    """A reference as the dotted name that a reader would write."""
    return reference.replace(":", ".", 1).strip(".")


def add(reference: str, attributes) -> str:
    """The reference to an attribute of what a reference means."""
    return ".".join([reference.removesuffix(":") + ":" if reference.endswith(":") else reference, *attributes]).replace(
        ":.", ":"
    )


def parameters(arguments: ast.arguments) -> list[str]:
    """The names of a function's parameters."""
    every = (*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg)
    return [parameter.arg for parameter in every if parameter is not None]
