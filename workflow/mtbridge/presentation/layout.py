"""What a table or a picture must know of a study, and tables as text: Markdown, LaTeX (the page has its own template).

An `Outline` is the small part of a study that decides what stands where: its models, tasks, recipes and seeds, in the
order in which they are shown. It is also the grid of what is expected, so whatever has no file yet is a gap.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.metrics import METRICS

KINDS = {"LM": "LM", "MT": "MT", "CP": "CP", "control": "controls"}  # in the order of the columns
GAP = "—"
TASK_LABELS = {"paws-x": "PAWS-X"}
EXPOSURES = ("masked_lm", "denoising", "source", "target")  # what a model may have learnt from a language's text


@dataclass(frozen=True)
class Model:
    """A model as it is shown; `base` is the key of the model it was continued from.

    `seen` maps a kind of exposure (`EXPOSURES`) to languages; without it `objective` and `directions` tell, for a model
    that is trained in the study.
    """

    key: str
    label: str
    kind: str
    base: str | None = None
    seen: dict = field(default_factory=dict, compare=False)
    objective: str | None = None
    directions: str | None = None


@dataclass(frozen=True)
class OutlineTask:
    """A task as it is shown: `metric` as in `tasks.metrics.METRICS`, `languages` in the order of the columns."""

    name: str
    metric: str
    languages: tuple[str, ...]
    source: str = ""

    @property
    def label(self) -> str:
        return TASK_LABELS.get(self.name, self.name.upper())


@dataclass(frozen=True)
class Outline:
    """Models (by kind: LM, MT, CP, controls; within a kind in the study's order), tasks, recipes, seeds."""

    name: str
    models: tuple[Model, ...]
    tasks: tuple[OutlineTask, ...]
    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    source_language: str = "en"
    settings: dict = field(default_factory=dict, compare=False)  # recipe -> its settings, for the report
    description: str = ""
    languages: tuple[str, ...] = ()  # of pretraining and similarity

    def model(self, key: str) -> Model:
        return next(model for model in self.models if model.key == key)

    def label(self, key: str) -> str:
        return next((model.label for model in self.models if model.key == key), key)

    def short(self, key: str) -> str:
        """A label for running text: up to its first comma."""
        return self.label(key).split(",")[0]

    def exposure(self, key: str) -> dict[str, set[str]] | None:
        """What a model and those it was continued from have seen: language -> kinds of `EXPOSURES`; None: not known.

        A language that is not in it was never seen.
        """
        if all(model.key != key for model in self.models):
            return {}
        model = self.model(key)
        own = model.seen or self._objective(model)
        if own is None:
            return None
        before = self.exposure(model.base) if model.base else {}
        if before is None:
            return None
        seen = {language: set(kinds) for language, kinds in before.items()}
        for kind, languages in own.items():
            for language in languages:
                seen.setdefault(language, set()).add(kind)
        return seen

    def _objective(self, model: Model) -> dict | None:
        """What training on the study's own languages showed a model."""
        if model.objective == "none":
            return {}
        if model.objective != "translation":
            return {model.objective: self.languages} if model.objective in EXPOSURES else None
        others = [language for language in self.languages if language != self.source_language]
        english = [self.source_language]
        return {
            "many-to-one": {"source": others, "target": english},
            "one-to-many": {"source": english, "target": others},
        }.get(model.directions, {"source": self.languages, "target": self.languages})

    def grid(self):
        """Every expected run: (recipe, model, task, seed)."""
        for recipe in self.recipes:
            for model in self.models:
                for task in self.tasks:
                    for seed in self.seeds:
                        yield recipe, model.key, task.name, seed


def read_outline(study: str) -> Outline:
    """An Outline from JSON text, or from the path of a file that holds it.

    Keys: `name`, `models` (list of key, label, kind and optionally base, seen, objective, directions), `tasks` (list of
    name, metric, languages and optionally source), `recipes` (names, or a mapping of name to settings), `seeds`,
    optionally `source_language`, `languages`, `description`; others are left alone.
    Raises MtbridgeError naming what is missing.
    """
    where = "--study"
    if not study.lstrip().startswith("{"):
        where, path = study, Path(study)
        try:
            study = path.read_text(encoding="utf-8")
        except OSError as error:
            raise MtbridgeError(f"{path}: cannot be read ({error.strerror}); expected the study as JSON") from error
    try:
        value = json.loads(study)
        models = [
            Model(
                key=m["key"],
                label=m["label"],
                kind=m["kind"],
                base=m.get("base"),
                seen=m.get("seen") or {},
                objective=m.get("objective"),
                directions=m.get("directions"),
            )
            for m in value["models"]
        ]
        tasks = [
            OutlineTask(t["name"], t["metric"], tuple(t["languages"]), t.get("source") or "") for t in value["tasks"]
        ]
        recipes, seeds = value["recipes"], tuple(int(seed) for seed in value["seeds"])
        name = value["name"]
    except KeyError as error:
        raise MtbridgeError(f"{where}: the study lacks the key {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise MtbridgeError(f"{where}: not a study as JSON ({error})") from error
    for model in models:
        if model.kind not in KINDS:
            raise MtbridgeError(f"{where}: model {model.key}: kind '{model.kind}', expected one of {', '.join(KINDS)}")
        for kind in model.seen:
            if kind not in EXPOSURES:
                raise MtbridgeError(f"{where}: model {model.key}: seen.{kind}: expected one of {', '.join(EXPOSURES)}")
    for task in tasks:
        if task.metric not in METRICS:
            raise MtbridgeError(
                f"{where}: task {task.name}: metric '{task.metric}', expected one of {', '.join(METRICS)}"
            )
    order = list(KINDS)
    return Outline(
        name=name,
        models=tuple(sorted(models, key=lambda model: order.index(model.kind))),
        tasks=tuple(tasks),
        recipes=tuple(recipes),
        seeds=seeds,
        source_language=value.get("source_language", "en"),
        settings=dict(recipes) if isinstance(recipes, dict) else {},
        description=value.get("description") or "",
        languages=tuple(value.get("languages") or ()),
    )


@dataclass(frozen=True)
class Cell:
    """One cell: its text, signs that refer to the notes, and smaller lines below it."""

    text: str
    details: tuple[str, ...] = ()
    marks: str = ""


@dataclass(frozen=True)
class Block:
    """One grid of cells. `groups` spans the columns as (text, number of columns); a line is drawn after the rows
    `rules`; the first `stub` columns name the rows; `left` are further columns of text."""

    header: list[str]
    rows: list[list[Cell]]
    title: str = ""
    groups: list[tuple[str, int]] = field(default_factory=list)
    rules: frozenset[int] = frozenset()
    stub: int = 1
    left: frozenset[int] = frozenset()

    def is_left(self, column: int) -> bool:
        return column < self.stub or column in self.left


@dataclass(frozen=True)
class Layout:
    """A table as it is read: a caption, blocks, notes."""

    name: str
    caption: str
    blocks: list[Block]
    notes: list[str]


def escape_markdown(text: str) -> str:
    """Text that GitHub shows as it is, also in a table."""
    text = " ".join(str(text).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\`*_|~":
        text = text.replace(character, "\\" + character)
    return text.replace("](", "]\\(")


_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "—": "---",
    "–": "--",
    "−": "$-$",
    "†": r"\textsuperscript{\textdagger}",
    "‡": r"\textsuperscript{\textdaggerdbl}",
    "‖": r"$\Vert$",
    "σ": r"$\sigma$",
    "₀": "$_0$",
    "₂": "$_2$",
    "²": "$^2$",
    "√": r"$\surd$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "…": r"\ldots{}",
    "\N{NO-BREAK SPACE}": "~",
}


def escape_tex(text: str) -> str:
    """Text that LaTeX (UTF-8 input) prints as it is."""
    return "".join(_TEX.get(character, character) for character in str(text).replace("\n", " "))


def to_markdown(layout: Layout) -> str:
    """GitHub tables: a group stands above the label in the one header row that there is."""

    def show(cell: Cell) -> str:
        lines = [escape_markdown(cell.text) + cell.marks, *(f"<sub>{escape_markdown(d)}</sub>" for d in cell.details)]
        return "<br>".join(lines)

    lines = [f"**{layout.name}.** {escape_markdown(layout.caption)}", ""]
    for block in layout.blocks:
        if block.title:
            lines += [f"#### {escape_markdown(block.title)}", ""]
        above = [text for text, span in block.groups for _ in range(span)] or [""] * len(block.header)
        header = [
            "<br>".join(escape_markdown(part) for part in pair if part)
            for pair in zip(above, block.header, strict=True)
        ]
        align = ["---" if block.is_left(column) else "---:" for column in range(len(header))]
        lines += ["| " + " | ".join(header) + " |", "| " + " | ".join(align) + " |"]
        lines += ["| " + " | ".join(show(cell) for cell in row) + " |" for row in block.rows]
        lines.append("")
    lines += [f"- {escape_markdown(note)}" for note in layout.notes]
    return "\n".join(lines).rstrip() + "\n"


def to_tex(layout: Layout) -> str:
    """A LaTeX table; the document loads booktabs and graphicx. More blocks than a page holds become one float each."""
    long = sum(len(block.rows) for block in layout.blocks) > 40
    parts = [[block] for block in layout.blocks] if long else [layout.blocks]
    lines = ["% Needs \\usepackage{booktabs,graphicx}."]
    for index, blocks in enumerate(parts):
        lines += [r"\begin{table*}", r"\centering\small"]
        caption = escape_tex(layout.caption) + (f" ({index + 1} of {len(parts)})" if len(parts) > 1 else "")
        if index > 0:
            lines.append(r"\addtocounter{table}{-1}")
        lines.append(rf"\caption{{{caption}}}")
        if index == 0:
            lines.append(rf"\label{{tab:{layout.name.lower().replace(' ', '-')}}}")
        for block in blocks:
            lines += _tex_block(block)
        if layout.notes and index + 1 == len(parts):
            lines.append(r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize")
            lines += [escape_tex(note) + r"\par" for note in layout.notes]
            lines.append(r"\end{minipage}")
        lines.append(r"\end{table*}")
    return "\n".join(lines) + "\n"


def _tex_block(block: Block) -> list[str]:
    def stack(lines: list[str], place: str) -> str:
        """Lines above each other in one cell; `place` is the line that stands on the row's (t first, b last)."""
        return rf"\begin{{tabular}}[{place}]{{@{{}}r@{{}}}}" + r"\\[-2pt]".join(lines) + r"\end{tabular}"

    def show(cell: Cell) -> str:
        text = escape_tex(cell.text) + escape_tex(cell.marks)
        small = [r"{\tiny " + escape_tex(detail) + "}" for detail in cell.details]
        return stack([text, *small], "t") if small else text

    def head(column: int) -> str:
        parts = [escape_tex(part) for part in block.header[column].split(", ")]
        return parts[0] if len(parts) == 1 else stack(parts, "b")

    lines = [rf"\par\medskip\textbf{{{escape_tex(block.title)}}}\par\smallskip"] if block.title else []
    lines.append(r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%")
    lines.append(
        r"\begin{tabular}{" + "".join("l" if block.is_left(i) else "r" for i in range(len(block.header))) + "}"
    )
    lines.append(r"\toprule")
    if block.groups:
        cells, rules, column = [], [], 1
        for text, span in block.groups:
            cells.append(rf"\multicolumn{{{span}}}{{c}}{{{escape_tex(text)}}}" if text else "&" * (span - 1))
            if text:
                rules.append(rf"\cmidrule(lr){{{column}-{column + span - 1}}}")
            column += span
        lines += [" & ".join(cells) + r" \\", "".join(rules)]
    lines += [" & ".join(head(column) for column in range(len(block.header))) + r" \\", r"\midrule"]
    for index, row in enumerate(block.rows):
        space = "[3pt]" if any(cell.details for cell in row) else ""
        lines.append(" & ".join(show(cell) for cell in row) + rf" \\{space}")
        if index in block.rules and index + 1 < len(block.rows):
            lines.append(r"\midrule")
    return [*lines, r"\bottomrule", r"\end{tabular}}"]


def number(value, digits: int = 1) -> str:
    """A number with a true minus sign, or the gap."""
    if value is None or value != value:
        return GAP
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value, digits: int = 1) -> str:
    """A difference: with its sign, unless it rounds to zero."""
    text = number(value, digits)
    return "+" + text if value > 0 and float(text) > 0 else text


def parse_count(text) -> float:
    """The number that a text as of `count` stands for; NaN for any other text."""
    text = str(text).strip()
    try:
        return 1000 * float(text[:-1]) if text.endswith("K") else float(text)
    except ValueError:
        return float("nan")


def count(value) -> str:
    """A number of examples as the paper writes it: 907, 2.8K, 100K."""
    if value is None or value != value:
        return GAP
    if value < 1000:
        return f"{value:.0f}"
    return f"{value / 1000:.1f}K" if value < 100_000 else f"{value / 1000:.0f}K"
