"""Code that only prints, documents or defines something, as far as its text shows it; see README.md."""

import ast
import builtins
from typing import Protocol

from mtbridge.base.identity.scopes import dotted


class Names(Protocol):
    """An object that resolves the names of a module: `canonical.Form`."""

    def meanings(self, name: str) -> tuple[list[str], bool]:
        """The references of what a name may refer to, and whether it may be a variable instead."""


# This function reads a file of the package, whose name is a literal in the call. The file's content is meaning.
PACKAGE_DATA = "mtbridge.base.files.package_data"

# The project's own functions that are called while a module is imported and have no side effect.
OURS = frozenset({PACKAGE_DATA, "mtbridge.specs.setting.specification", "mtbridge.specs.setting.setting"})

# Calls without side effects. Any other call that runs while a module is imported counts like a statement.
HARMLESS = frozenset(
    {"abc", "collections", "contextlib", "dataclasses", "enum", "functools", "itertools", "math", "operator", "pathlib"}
    | {"pydantic", "re", "string", "time", "types", "typing"}
)
HARMLESS_METHODS = frozenset({"copy", "get", "items", "keys", "split", "splitlines", "strip", "values"})
HARMLESS_METHODS |= {"getter", "setter", "deleter"}
HARMFUL_BUILTINS = frozenset({"__import__", "delattr", "eval", "exec", "next", "open", "print", "setattr"})


def is_text(node) -> bool:
    """Whether a statement is a docstring, or any other lone constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_message(node) -> bool:
    """Whether a statement only prints a message: print (to the terminal) or progress."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("print", "progress")):
        return False
    files = [ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg in ("file", None)]
    return all(file in ("sys.stderr", "sys.stdout") for file in files)


def is_harmless_call(form: Names, function, is_decorator: bool = False) -> bool:
    """Whether a call has no side effect, as far as its text shows it. Calls among its arguments are not judged."""
    if is_decorator and isinstance(function, ast.Call):
        function = function.func
    attributes: list[str] = []
    base = function
    while isinstance(base, ast.Attribute):
        attributes.insert(0, base.attr)
        base = base.value
    last = attributes[-1] if attributes else getattr(base, "id", "")
    # A capitalised name is a class, by convention; making an instance is taken to be harmless.
    if last in HARMLESS_METHODS or (last.lstrip("_")[:1].isupper() and not is_decorator):
        return True
    if isinstance(base, ast.Name):
        references, _ = form.meanings(base.id)
        if not references:
            return hasattr(builtins, base.id) and base.id not in HARMFUL_BUILTINS
        called = [dotted(reference) for reference in references if reference[0] != ":"]
        harmless = [name in OURS or name.split(".")[0] in HARMLESS for name in called]
        return len(called) == len(references) and all(harmless)
    return isinstance(base, (ast.Call, ast.Constant))  # a method of a new value
