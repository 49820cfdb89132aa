"""The definitions of a Python file, by name.

A *definition* is a function, a class or a constant of a module's top level. All statements that define nothing are one
definition named "!", and those under `if __name__ == "__main__"` one named "!main". This module reads the text of one
file at a time; `identity` decides which file a reference refers to.
"""

import ast
from typing import NamedTuple

from mtbridge.base.identity.canonical import Definition, Form
from mtbridge.base.identity.harmless import is_harmless_call, is_message, is_text
from mtbridge.base.identity.scopes import FUNCTIONS, IMPORTS, add, bound_names, imported_modules


class Module(NamedTuple):
    """A file's definitions by name; "!" are its statements, "!main" those under `if __name__ == "__main__"`."""

    definitions: dict[str, Definition]
    aliases: dict[str, str]  # names that only an import binds -> their references
    imports: list[str]  # references to what an import of the module imports
    stars: list[str]  # modules from which everything is imported
    classes: list[str]  # those with a base class


# ---- What runs when a module is imported ----


def is_harmless(form: Form, *nodes) -> bool:
    """Whether evaluating expressions has no side effect, as far as their text shows it."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call) and not is_harmless_call(form, node.func):
            return False
        if not isinstance(node, ast.Lambda):  # its body runs when it is called
            waiting += ast.iter_child_nodes(node)
    return True


def is_harmless_definition(form: Form, node) -> bool:
    """Whether defining a function or class has no side effect. A decorator, for one, may register it somewhere."""
    decorators = all(is_harmless_call(form, decorator, True) for decorator in node.decorator_list)
    if not (decorators and is_harmless(form, *node.decorator_list)):
        return False
    if not isinstance(node, ast.ClassDef):
        defaults = (part for part in (*node.args.defaults, *node.args.kw_defaults) if part is not None)
        return is_harmless(form, *defaults)
    if node.keywords or not is_harmless(form, *node.bases):  # a keyword may be a metaclass
        return False
    for part in node.body:
        if isinstance(part, (*FUNCTIONS, ast.ClassDef)):
            harmless = is_harmless_definition(form, part)
        elif isinstance(part, (ast.Assign, ast.AnnAssign)):
            harmless = is_harmless(form, *([part.value] if part.value else []))
        else:
            harmless = is_text(part) or isinstance(part, (ast.Pass, *IMPORTS))
        if not harmless:
            return False
    return True


class TopLevel:
    """What the statements of a module's top level bind, and which of them do more than that."""

    def __init__(self, body: list):
        self.bindings: dict[str, list] = {}  # name -> statements, "!" or references that bind it
        self.imports: list[str] = []
        self.stars: list[str] = []
        self.statements: list = []
        self.main: list = []
        self.read(body)

    def bind(self, nodes, place) -> None:
        """Note the names that nodes bind: for imported names their references, for others the place of the nodes."""
        for name, bound in bound_names(nodes)[0].items():
            if name != "__all__":
                meanings = [reference or place for reference in dict.fromkeys(bound) if reference or place]
                self.bindings.setdefault(name, []).extend(meanings)

    def read(self, body: list) -> None:
        """Sort a module's statements into bindings, imports, statements that define nothing, and the main block."""
        for node in body:
            if isinstance(node, IMPORTS):
                self.bind([node], None)
                self.imports += imported_modules(node)
                if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                    self.stars.append("." * node.level + (node.module or "") + ":")
            elif isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.AugAssign)):
                self.read_definition(node)
            elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
                self.bind(node.body, None)  # only annotations use the other names
                self.read(node.orelse)
            elif isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
                self.bind(node.body, "!main")
                self.main += node.body
                self.read(node.orelse)
            elif not (is_message(node) or isinstance(node, ast.Pass) or is_text(node)):
                self.bind([node], "!")
                self.statements.append(node)

    def read_definition(self, node) -> None:
        """Read a statement that defines names, or changes the value of a name."""
        if isinstance(node, ast.AnnAssign) and node.value is None:  # it binds nothing
            return
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            self.bindings.setdefault(node.name, []).append(node)
            self.statements.append((node.name, node))
            return
        self.bind([node], node)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        parts = [part for target in targets for part in ast.walk(target)]
        names = [part for part in parts if isinstance(getattr(part, "ctx", None), ast.Store)]
        if isinstance(node, ast.AugAssign) or any(isinstance(name, (ast.Attribute, ast.Subscript)) for name in names):
            if getattr(targets[0], "id", None) != "__all__":
                self.statements.append(node)
        else:
            self.statements += [(name.id, node) for name in names if isinstance(name, ast.Name)]


def only_imported(bound: list) -> list[str]:
    """A list of the one reference of a name that only an import binds, else an empty list."""
    is_import = all(isinstance(part, str) and not part.startswith("!") for part in bound)
    return bound[:1] if is_import and len(set(bound)) == 1 else []


def read_module(content: bytes, path: str) -> Module:
    """The definitions of a file. Raises SyntaxError, about `path`, if the content is not Python."""
    tree = ast.parse(content, path)
    top = TopLevel(tree.body)
    docstring = ast.get_docstring(tree)

    aliases = {name: references[0] for name, bound in top.bindings.items() if (references := only_imported(bound))}
    names: dict[str, list[str]] = {}
    for name, bound in top.bindings.items():
        imported = [part for part in bound if isinstance(part, str) and not part.startswith("!")]
        names[name] = [aliases[name]] if name in aliases else [f":{name}", *dict.fromkeys(imported)]

    def form(own: str | None = None) -> Form:
        return Form(names, top.stars, docstring, own)

    definitions: dict[str, Definition] = {}
    classes: list[str] = []
    for name, bound in top.bindings.items():
        if name in aliases or not bound:  # only type checkers see it bound
            continue
        written = form(name)
        methods: dict[str, list] = {}
        bases: list[str] = []
        is_split = False
        if len(bound) == 1 and isinstance(bound[0], ast.ClassDef):
            bound, methods, bases, is_split = split_class(written, bound[0])
        for part in bound:
            if isinstance(part, str):
                written.text.append(f"bound as {name}" if part[0] == "!" else "imported")
                written.refer(part)
            else:
                written.statement(part)
        definition = written.definition(getattr(bound[0], "lineno", 1))
        definitions[name] = definition._replace(methods=sorted(methods), bases=bases, is_split=is_split)
        for method, parts in methods.items():
            written = form()
            for part in parts:
                written.statement(part)
            definitions[f"{name}.{method}"] = written.definition(parts[0].lineno)
        classes += [name] if any(isinstance(part, ast.ClassDef) and part.bases for part in bound) else []

    for place, body in (("!", top.statements), ("!main", top.main)):
        written = form()
        for part in body:
            if not isinstance(part, tuple):
                written.statement(part)
            # A definition counts where it is used, unless defining it already does something.
            elif part[0] != "__all__" and not is_harmless_statement(written, part[1]):
                written.refer(f":{part[0]}")
        if written.text:
            line = next((part.lineno for part in body if not isinstance(part, tuple)), 1)
            definitions[place] = written.definition(line)
    return Module(definitions, aliases, top.imports, top.stars, classes)


def split_class(form: Form, node: ast.ClassDef) -> tuple[list, dict[str, list], list[str], bool]:
    """A class without its methods, its methods by name, references to its bases, and whether it was split at all.

    A method counts if some code reads an attribute of its name, so a change of one method makes only code stale that
    may call it. Methods that Python calls by itself (`__init__`) stay in the class. So do all methods of a class that
    a library may call: it has a base outside the project, or a decorator.
    """
    bases = [reference for base in node.bases for reference in references_of(form, base)]
    own_bases = [reference for reference in bases if reference.startswith((":", ".", "mtbridge"))]
    if node.decorator_list and not all(is_harmless_call(form, part, True) for part in node.decorator_list):
        return [node], {}, [], False
    if node.keywords or len(own_bases) < len(node.bases):
        return [node], {}, [], False
    methods: dict[str, list] = {}
    for part in node.body:
        if isinstance(part, FUNCTIONS) and not part.name.startswith("__"):
            methods.setdefault(part.name, []).append(part)
    # The body may also call a method while the class is made, or bind its name again; such a method stays too.
    rest = [part for part in node.body if not (isinstance(part, FUNCTIONS) and part.name in methods)]
    used = {name.id for part in rest for name in ast.walk(part) if isinstance(name, ast.Name)}
    methods = {name: parts for name, parts in methods.items() if name not in used}
    body = [part for part in node.body if not (isinstance(part, FUNCTIONS) and part.name in methods)]
    without = ast.ClassDef(node.name, node.bases, node.keywords, body or [ast.Pass()], node.decorator_list)
    if hasattr(node, "type_params"):
        without.type_params = node.type_params  # type: ignore[attr-defined]  # from Python 3.12 on
    return [ast.copy_location(without, node)], methods, own_bases, True


def references_of(form: Form, base) -> list[str]:
    """References of what a base class may refer to; none if the base is no name."""
    attributes: list[str] = []
    while isinstance(base, ast.Attribute):
        attributes.insert(0, base.attr)
        base = base.value
    if not isinstance(base, ast.Name):
        return []
    references, _ = form.meanings(base.id)
    return [add(reference, attributes) if attributes else reference for reference in references]


def is_harmless_statement(form: Form, node) -> bool:
    """Whether a definition does nothing but define; see `is_harmless`."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return is_harmless_definition(form, node)
    return is_harmless(form, node.value)
