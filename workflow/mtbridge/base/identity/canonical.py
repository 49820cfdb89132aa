"""The canonical text of a definition: what it does, whatever its layout, its comments and its name.

The text is the syntax tree without the parts that cannot change a result (see README.md). A placeholder stands for
every name that refers to another definition or an import; those names are its references, in order (see `scopes`).
"""

import ast
import builtins
import hashlib
import re
from typing import NamedTuple

from mtbridge.base.identity.harmless import PACKAGE_DATA, is_harmless_call, is_message, is_text
from mtbridge.base.identity.scopes import (
    FUNCTIONS,
    IMPORTS,
    Scope,
    add,
    bound_names,
    dotted,
    imported_modules,
    parameters,
)

# Reasons: what a definition may do that names do not show. The first four concern all that a program reaches.
COMPUTED_IMPORT = "import by a computed name"
OWN_NAMES = "names of definitions as data"
SUBCLASSES = "subclasses that nobody names"
ANY_METHOD = "an attribute by a computed name"
# Any other reason is a name that gives access to the whole module.
WHOLE_MODULE = frozenset({"globals", "eval", "exec", "__path__", "__package__", "__spec__", "__builtins__"})
WHOLE_MODULE_OF = frozenset(
    {"sys.modules", "sys._getframe", "inspect.currentframe", "inspect.stack", "inspect.getmodule"}
    | {"runpy.run_path", "runpy.run_module"}
)
ATTRIBUTES = {"__name__": OWN_NAMES, "__qualname__": OWN_NAMES, "__doc__": OWN_NAMES} | {
    "__subclasses__": SUBCLASSES,
    "__globals__": "__globals__",
}
IMPORTERS = frozenset(
    {"importlib.import_module", "importlib.__import__", "builtins.__import__", "pkgutil.resolve_name"}
)

# The arguments of these exceptions are values for other code, not messages.
VALUE_EXCEPTIONS = frozenset({"StopIteration", "SystemExit"})
DOCUMENTATION = frozenset({"description", "help", "epilog"})  # keyword arguments of any call


class Definition(NamedTuple):
    """A definition of a module, or its statements, as the text of one file shows it."""

    form: str  # digest of the canonical text
    references: list[str]  # in the order of the placeholders
    imports: list[str]  # references to what it imports when it runs
    reasons: list  # [line, reason]: what it does that names do not show
    module_names: list[str]  # texts that may be the name of a project module
    documentation: str  # digest of its docstrings
    files: list[str]  # files of the package that it reads, relative to the module's folder
    attributes: list[str]  # names of attributes that it asks for
    line: int
    methods: list[str] = []  # of a class: the methods that are definitions of their own
    bases: list[str] = []  # of such a class: references to its bases
    is_split: bool = False  # whether it is a class whose methods are definitions of their own


class Form:
    """Writes the canonical text of syntax trees. Trees with different meanings have different texts."""

    def __init__(self, module_names: dict[str, list[str]], stars, docstring, own: str | None = None):
        self.module_names = module_names  # name of the module -> what it may refer to
        self.stars, self.docstring = stars, docstring
        self.own = own  # the name whose definition is written
        self.text: list[str] = []
        self.references: list[str] = []
        self.imports: list[str] = []
        self.reasons: list = []
        self.strings: list[str] = []
        self.documentation: list[str] = []
        self.files: list[str] = []
        self.attribute_names: list[str] = []
        self.scopes: list[Scope] = []
        self.line = 0

    def definition(self, line: int) -> Definition:
        """The definition of the text written so far."""
        digests = [hashlib.sha256("\n".join(part).encode("utf-8", "surrogatepass")).hexdigest()[:32]
                   for part in (self.text, self.documentation)]  # fmt: skip
        lists = (self.references, sorted(set(self.imports)), self.reasons, sorted(set(self.strings)))
        return Definition(digests[0], *lists, digests[1], self.files, sorted(set(self.attribute_names)), line)

    def visit(self, node) -> None:
        """Write a node of any kind."""
        if node is None:
            self.text.append("-")
            return
        self.line = getattr(node, "lineno", self.line)
        write = getattr(self, f"visit_{type(node).__name__}", None)
        if write is not None:
            write(node)
            return
        self.text.append(f"({type(node).__name__}")
        for field in node._fields:
            if field not in ("ctx", "kind", "type_comment"):
                self.value(getattr(node, field, None))
        self.text.append(")")

    def value(self, value) -> None:
        """Write a field of a node."""
        if isinstance(value, list):
            self.text.append("[")
            for part in value:
                if isinstance(part, ast.stmt):
                    self.statement(part)
                elif isinstance(part, ast.AST):
                    self.visit(part)
                else:
                    self.text.append(repr(part))
            self.text.append("]")
        elif isinstance(value, ast.AST):
            self.visit(value)
        else:
            self.text.append(repr(value))

    def statement(self, node) -> None:
        """Write a statement; messages, docstrings and `pass` cannot change a result and are left out."""
        if isinstance(node, IMPORTS):
            self.imports += imported_modules(node)
        elif is_text(node):
            self.documentation.append(repr(node.value.value))
        elif not (isinstance(node, ast.Pass) or is_message(node)):
            self.visit(node)

    # ---- Names ----

    def meanings(self, name: str) -> tuple[list[str], bool]:
        """The references of what a name may refer to, and whether it may be a variable (or a builtin) instead."""
        references: list[str] = []
        is_variable = False
        for number, scope in enumerate(reversed(self.scopes)):
            if name in scope.module_names:
                break
            # A class's names are not visible in its methods.
            if name in scope.names and not (scope.is_class and number):
                bound = scope.names[name]
                references += [reference for reference in dict.fromkeys(bound) if reference is not None]
                is_variable = is_variable or None in bound
                if not scope.is_class:  # a name of a class may not be bound yet, and then refers to an outer one
                    return references, is_variable
        if name in self.module_names:
            return [*references, *self.module_names[name]], is_variable
        if self.stars and not hasattr(builtins, name):
            references.append(f":{name}")
        return references, True

    def name(self, name: str, attributes=()) -> None:
        """Write a name and its attributes, or references to what they may refer to."""
        references, is_variable = self.meanings(name)
        if is_variable:
            self.text.append(".".join([f"name {name}", *attributes]))
            if not references and (name in WHOLE_MODULE or name == "__import__"):
                self.reasons.append([self.line, COMPUTED_IMPORT if name == "__import__" else name])
        self.attributes(attributes)
        for reference in references:
            self.refer(reference if not attributes else add(reference, attributes))

    def refer(self, reference: str) -> None:
        """Write a placeholder for a reference."""
        self.text.append("@")
        self.references.append(reference)
        full_name = dotted(reference)
        if full_name in IMPORTERS:
            self.reasons.append([self.line, COMPUTED_IMPORT])
        for whole in WHOLE_MODULE_OF:
            if full_name == whole or full_name.startswith(f"{whole}."):
                self.reasons.append([self.line, whole])

    def attributes(self, attributes) -> None:
        """Note the names of attributes, and the attributes that give access to what no name refers to."""
        self.attribute_names += attributes
        for attribute in attributes:
            if attribute in ATTRIBUTES:
                self.reasons.append([self.line, ATTRIBUTES[attribute]])

    def visit_Name(self, node) -> None:
        if node.id == "__doc__":
            self.text.append(repr(self.docstring))
        elif self.own is not None and not self.scopes and not isinstance(node.ctx, ast.Load):
            self.text.append("own target" if node.id == self.own else "other target")
        elif self.scopes and node.id in self.scopes[-1].names and not isinstance(node.ctx, ast.Load):
            self.text.append(f"name {node.id}")  # binding a name never reaches an outer one, reading may
        else:
            self.name(node.id)

    def visit_Attribute(self, node) -> None:
        attributes: list[str] = []
        base = node
        while isinstance(base, ast.Attribute):
            attributes.insert(0, base.attr)
            base = base.value
        if isinstance(base, ast.Name):
            self.name(base.id, attributes)
            return
        self.attributes(attributes)
        self.text.append("(" + ".".join(["of", *attributes]))
        self.visit(base)
        self.text.append(")")

    def visit_Constant(self, node) -> None:
        self.text.append(repr(node.value))
        if isinstance(node.value, str) and re.match(r"mtbridge(\.|$)", node.value):
            self.strings.append(node.value)

    def visit_Global(self, node) -> None:
        self.value([name for name in node.names if name not in self.module_names])  # the others are references

    # ---- Messages and calls ----

    def visit_Raise(self, node) -> None:
        self.text.append("(raise")
        has_text = isinstance(node.exc, ast.Call) and getattr(node.exc.func, "id", "") not in VALUE_EXCEPTIONS
        self.visit(node.exc.func if has_text else node.exc)
        self.visit(node.cause)
        self.text.append(")")

    def visit_Call(self, node) -> None:
        meant = self.called(node.func)
        if meant & (IMPORTERS | {"__import__"}) and len(node.args) == 1 and not node.keywords:
            module = node.args[0]
            if isinstance(module, ast.Constant) and isinstance(module.value, str):
                self.imports.append(f"{module.value}:")
                self.refer(f"{module.value}:")
                return
        elif meant & (IMPORTERS | {"__import__"}):  # perhaps relative to this package
            self.refer(".:")
        if PACKAGE_DATA in meant:
            files = [str(part.value) for part in node.args[1:] if isinstance(part, ast.Constant)]
            self.files += files
            if not files:
                self.reasons.append([self.line, "a file of the package with a computed name"])
        if meant & {"getattr", "hasattr"}:
            self.named_attributes(node.args[1:2])
        elif meant & {"operator.attrgetter", "operator.methodcaller"}:
            self.named_attributes(node.args)
        if meant & {"vars", "dir"} and not (node.args or node.keywords):
            self.reasons.append([self.line, f"{min(meant)}()"])
        if "locals" in meant and all(scope.is_class for scope in self.scopes):
            self.reasons.append([self.line, "locals()"])
        self.text.append("(call")
        self.visit(node.func)
        self.value(node.args)
        self.value([keyword for keyword in node.keywords if keyword.arg not in DOCUMENTATION])
        self.text.append(")")

    def named_attributes(self, names: list) -> None:
        """Note attributes that are read by name, as getattr does. names: the arguments; one may be computed."""
        texts = [name.value for name in names if isinstance(name, ast.Constant) and isinstance(name.value, str)]
        self.attribute_names += [part for text in texts for part in text.split(".")]
        if len(texts) < len(names):
            self.reasons.append([self.line, ANY_METHOD])

    def called(self, function) -> set[str]:
        """The dotted names that a called function may have, if it is imported or builtin."""
        attributes: list[str] = []
        while isinstance(function, ast.Attribute):
            attributes.insert(0, function.attr)
            function = function.value
        if not isinstance(function, ast.Name):
            return set()
        references, is_variable = self.meanings(function.id)
        names = {dotted(add(reference, attributes) if attributes else reference) for reference in references}
        is_builtin = is_variable and not references and hasattr(builtins, function.id)
        return names | {".".join([function.id, *attributes])} if is_builtin else names

    def visit_AnnAssign(self, node) -> None:
        in_class = bool(self.scopes) and self.scopes[-1].is_class
        if node.value is None and not in_class:
            return
        self.text.append("(Field" if in_class else "(Assign")
        self.value([node.target])
        if in_class:
            self.annotation(node.annotation)
        self.visit(node.value)
        self.text.append(")")

    def annotation(self, node) -> None:
        """Write an annotation that counts; names in quoted annotations count too."""
        self.visit(node)
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    self.visit(ast.parse(part.value, mode="eval"))
                except SyntaxError:
                    continue

    # ---- Scopes ----

    def visit_FunctionDef(self, node) -> None:
        # A decorator from elsewhere may read the annotations (pydantic's `validate_call` does).
        annotated = not all(is_harmless_call(self, decorator, True) for decorator in node.decorator_list)
        self.text.append(f"({type(node).__name__}")
        self.value(node.decorator_list)
        if self.scopes or self.own != node.name:
            self.name_bound(node.name)
        self.arguments(node.args, annotated)
        if annotated and node.returns is not None:
            self.annotation(node.returns)
        self.inside(node, node.body, parameters(node.args))
        self.text.append(")")

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node) -> None:
        self.text.append("(lambda")
        self.arguments(node.args, False)
        self.inside(node, [node.body], parameters(node.args))
        self.text.append(")")

    def visit_ClassDef(self, node) -> None:
        self.text.append("(class")
        self.value(node.decorator_list)
        if self.scopes or self.own != node.name:
            self.name_bound(node.name)
        self.value(node.bases)
        self.value(node.keywords)
        hooks = any(isinstance(part, FUNCTIONS) and part.name == "__init_subclass__" for part in node.body)
        if hooks or any(keyword.arg == "metaclass" for keyword in node.keywords):
            self.reasons.append([node.lineno, SUBCLASSES])
        self.inside(node, node.body, [])
        self.text.append(")")

    def name_bound(self, name: str) -> None:
        """Write the name of an inner definition: it stands inside another definition, a class or a statement."""
        self.text.append(f"named {name}")

    def arguments(self, arguments, annotated: bool) -> None:
        """Write parameters and their default values, and if `annotated` their annotations."""
        kinds = (arguments.posonlyargs, arguments.args, [arguments.vararg], arguments.kwonlyargs, [arguments.kwarg])
        for kind in kinds:
            self.text.append("[" + ",".join(parameter.arg for parameter in kind if parameter is not None) + "]")
            for parameter in kind if annotated else ():
                if parameter is not None and parameter.annotation is not None:
                    self.annotation(parameter.annotation)
        self.value(arguments.defaults)
        self.text.append("[")
        for default in arguments.kw_defaults:
            self.visit(default)
        self.text.append("]")

    def inside(self, node, body: list, own_parameters: list[str]) -> None:
        """Write the body of a function, lambda or class, in a scope of its own."""
        names, module_names, _ = bound_names(body)
        for part in (*own_parameters, *(part.name for part in getattr(node, "type_params", ()))):
            names.setdefault(part, []).append(None)
        self.scopes.append(Scope(isinstance(node, ast.ClassDef), names, module_names))
        self.value(getattr(node, "type_params", []))
        self.value(body)
        self.scopes.pop()

    def comprehension(self, node) -> None:
        """Write a comprehension. Its first iterable is evaluated in the scope around it, as in Python."""
        self.text.append(f"({type(node).__name__}")
        self.visit(node.generators[0].iter)
        names, _, _ = bound_names(generator.target for generator in node.generators)
        self.scopes.append(Scope(False, names, set()))
        for number, generator in enumerate(node.generators):
            self.text.append(f"(for {generator.is_async}")
            self.visit(generator.target)
            if number:
                self.visit(generator.iter)
            self.value(generator.ifs)
            self.text.append(")")
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self.scopes.pop()
        self.text.append(")")

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension
