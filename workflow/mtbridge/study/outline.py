"""The part of a study that tables, figures and the report depend on.

An `Outline` holds a study's models, tasks, recipes, seeds and protocols, in the order in which they are shown. It is
also the grid of all expected runs, so a run without a file is a gap. `study.options` writes it as JSON, and programs
read it with `read_outline`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.specs.model import MODEL_KINDS
from mtbridge.specs.names import replicate_name, split_replicate
from mtbridge.specs.protocol import Protocol
from mtbridge.tasks.metrics import METRICS

# The baseline, the best constant answer (`tasks.baseline`), as a model, and the name of its recipe.
FLOOR, NO_RECIPE = "floor", "none"
# What no model is needed for in generation, as models of this recipe; see `generation.baselines`.
BASELINES = ("copy", "first")

# Names of tasks that are written in capitals; others are shown as they are called.
ABBREVIATIONS = frozenset(("nc", "ner", "paws-x", "pos", "qadsm", "qam", "wpr", "xnli"))
RETRIEVAL_DEPTH = 0.667  # of the layer by which translations are found: `retrieval.depth`
EXPOSURES = ("masked_lm", "denoising", "source", "target")  # how a model may have seen a language's text


@dataclass(frozen=True)
class Model:
    """A model as tables and figures show it; `base` is the key of the model whose training it continues.

    `seen` maps a kind of exposure (`EXPOSURES`) to languages. If it is empty, the exposure of a model that is trained
    in the study follows from `objective` and `directions`.
    """

    key: str
    label: str
    kind: str
    base: str | None = None
    seen: dict = field(default_factory=dict, compare=False)
    objective: str | None = None
    directions: str | None = None
    origin: str = "trained"  # where its first weights come from; see `Settings.origin`
    replicates: tuple[str, ...] = ()  # keys of its further pretrainings: mbart@2, mbart@3
    other: str | None = None  # of a derived model, the other one that its weights come from, besides its base
    intervention: str | None = None  # of a derived model, which of `specs.intervention`
    alpha: float | None = None  # of a derived model on the path from its base to the other: how far it is
    steps: int | None = None  # of a model that is trained here: its updates
    match: str | None = None  # of a control, the model whose budget it has
    tasks_seen: tuple[str, ...] = ()  # tasks of whose data it was trained on some

    @property
    def is_untrained(self) -> bool:
        """Whether it has only its initial weights. Its scores show what fine-tuning alone can learn."""
        return self.objective == "none"


@dataclass(frozen=True)
class OutlineTask:
    """A task as tables show it: `metric` is a key of `tasks.metrics.METRICS`, `languages` are in column order.

    aligned: of a task of generation, whether its test rows are translations of each other. licence: of its examples,
    if the study states it. description: what a model is asked to do, if the study says it.
    """

    name: str
    metric: str
    languages: tuple[str, ...]
    source: str = ""
    label: str = ""
    aligned: bool = False
    licence: str = ""
    description: str = ""


@dataclass(frozen=True)
class Outline:
    """Models, tasks, recipes, seeds and protocols. Models are sorted by `MODEL_KINDS`, then in the study's order.

    `models` has each model once, as its first pretraining. `keys` and `grid` cover all pretrainings, `replicates` says
    which are those of one model.
    """

    name: str
    models: tuple[Model, ...]
    tasks: tuple[OutlineTask, ...]
    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    source_language: str
    protocols: dict[str, Protocol] = field(compare=False)
    # recipe -> origin of models -> its settings, and under `by_task` those that differ
    settings: dict[str, dict[str, dict]] = field(default_factory=dict, compare=False)
    description: str = ""
    languages: tuple[str, ...] = ()  # of pretraining
    compare: tuple[tuple[str, str], ...] = ()  # pairs of models, or of recipes, that the study wants to compare
    margin: float = 1.0  # percent points below which a difference does not matter
    shares: dict[str, float] = field(default_factory=dict)  # of the text of pretraining that languages have; default 1
    primary: tuple[str, ...] = ()  # the continued models that the study's question is about; empty: all
    writing: tuple[OutlineTask, ...] = ()  # tasks of generation
    # ways of adapting models to these, each with one rate -> `way`, its name without the rate, and its settings
    adaptations: dict[str, dict] = field(default_factory=dict, compare=False)
    retrieval_depth: float = RETRIEVAL_DEPTH  # of the layer by which translations are found, a share of all layers
    retrieval_licence: str = ""  # of the pairs among which they are looked for

    def model(self, key: str) -> Model:
        """The model with this key, which may be that of a further pretraining: its base is then the base's of the same
        number. Raises StopIteration if the study has none."""
        number = split_replicate(key)[1]
        first = next(model for model in self.models if key in (model.key, *model.replicates))
        if number == 1:
            return first
        base = None if first.base is None else replicate_name(first.base, number)
        other = None if first.other is None else replicate_name(first.other, number)
        return replace(first, key=key, base=base, other=other, label=_numbered(first.label, number), replicates=())

    def replicates(self, key: str) -> tuple[str, ...]:
        """The keys of all pretrainings of a model, in the order of their numbers; `key` is that of any of them.

        A checkpoint is one pretraining. Raises StopIteration if the study has no such model.
        """
        model = self.model(split_replicate(key)[0])
        return model.key, *model.replicates

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all pretrainings of all models, those of a model one after the other."""
        return tuple(key for model in self.models for key in (model.key, *model.replicates))

    def label(self, key: str) -> str:
        """A model's label, with its number for a further pretraining; the key itself if the study has no such model."""
        return self._labels.get(key, key)

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {key: self.model(key).label for key in self.keys}  # read once: a page asks a million times

    def short(self, key: str) -> str:
        """A label for running text: the part before the first comma (after it comes the size)."""
        return self.label(key).split(",")[0]

    @property
    def task_labels(self) -> dict[str, str]:
        """Name of a task -> its label."""
        return {task.name: task.label for task in self.tasks}

    def recipe(self, name: str, origin: str, task: str) -> dict:
        """The settings of a recipe for models of an origin and a task; empty if the outline has only its name."""
        settings = self.settings.get(name, {}).get(origin, {})
        return {**settings, **settings.get("by_task", {}).get(task, {})}

    def protocol(self, name: str) -> Protocol:
        """The settings of a protocol. Raises MtbridgeError if the study has no such protocol."""
        if name not in self.protocols:
            raise MtbridgeError(f"--protocol: '{name}' is no protocol of the study; {nearest(name, self.protocols)}")
        return self.protocols[name]

    def corpus(self, protocol: str) -> str:
        """The corpus on which a protocol compares hidden states."""
        return self.protocol(protocol).corpus_name([task.name for task in self.tasks])

    @property
    def families(self) -> list[list[str]]:
        """For every base, its key and the keys of the models that continue it, the base first."""
        keys = {model.key for model in self.models}
        bases = dict.fromkeys(model.base for model in self.models if model.base is not None and model.base in keys)
        return [[base, *(model.key for model in self.models if model.base == base)] for base in bases]

    def exposure(self, key: str) -> dict[str, set[str]] | None:
        """What a model and its bases have seen: language -> kinds of `EXPOSURES`. None: this is not known.

        The model has not seen any text of a language that is not among the keys.
        """
        if key not in self.keys:
            return {}
        model = self.model(key)
        own = {} if model.other else model.seen or self._seen_in_training(model)
        if own is None:
            return None
        of_base = self.exposure(model.base) if model.base else {}
        if of_base is None:
            return None
        if model.other is not None:
            of_other = self.exposure(model.other)
            return of_other and {
                name: of_base.get(name, set()) | of_other.get(name, set()) for name in of_base | of_other
            }
        seen = {language: set(kinds) for language, kinds in of_base.items()}
        for kind, languages in own.items():
            for language in languages:
                seen.setdefault(language, set()).add(kind)
        return seen

    def _seen_in_training(self, model: Model) -> dict[str, Sequence[str]] | None:
        """What a model has seen in training on the study's languages: kind of exposure -> languages."""
        if model.is_untrained:
            return {}
        if model.objective in ("tlm", "alignment"):
            return {"masked_lm": self.languages}
        if model.objective != "translation":
            return {model.objective: self.languages} if model.objective in EXPOSURES else None
        others = [language for language in self.languages if language != self.source_language]
        source = [self.source_language]
        if model.directions == "many-to-one":
            return {"source": others, "target": source}
        if model.directions == "one-to-many":
            return {"source": source, "target": others}
        return {"source": self.languages, "target": self.languages}

    def grid(self) -> Iterator[tuple[str, str, str, int]]:
        """Every expected run, of all pretrainings: (recipe, model, task, seed)."""
        for recipe in self.recipes:
            for key in self.keys:
                for task in self.tasks:
                    for seed in self.seeds:
                        yield recipe, key, task.name, seed


def read_outline(study: str) -> Outline:
    """Read an Outline from JSON text, or from a file of JSON.

    Keys: `name`, `models` (list of key, label, kind and optionally base, seen, objective, directions, origin,
    replicates), `tasks` (list of name, metric, languages and optionally source, label), `recipes` (names, or a mapping
    of name to origin to settings), `seeds`, `source_language`, `protocols` (name to settings), optionally `languages`,
    `description`; others are ignored.

    Raises:
        MtbridgeError: a key is missing, or a value does not fit.
    """
    where, value = _read_json(study)
    try:
        models = [_model(entry) for entry in value["models"]]
        tasks = [_task(entry) for entry in value["tasks"]]
        protocols = {name: _protocol(where, name, settings) for name, settings in value["protocols"].items()}
        recipes = value["recipes"]
        outline = Outline(
            name=value["name"],
            # An unknown kind goes to the end, and `_check` reports it.
            models=tuple(sorted(models, key=lambda model: (*MODEL_KINDS, model.kind).index(model.kind))),
            tasks=tuple(tasks),
            recipes=tuple(recipes),
            seeds=tuple(int(seed) for seed in value["seeds"]),
            source_language=value["source_language"],
            protocols=protocols,
            settings=dict(recipes) if isinstance(recipes, dict) else {},
            description=value.get("description") or "",
            languages=tuple(value.get("languages") or ()),
            compare=tuple((str(one), str(other)) for one, other in value.get("compare") or ()),
            margin=float(value.get("margin", 1.0)),
            shares=dict(value.get("shares") or {}),
            primary=tuple(value.get("primary") or ()),
            writing=tuple(_task(entry) for entry in value.get("writing") or ()),
            adaptations=dict(value.get("adaptations") or {}),
            retrieval_depth=float(value.get("retrieval_depth", RETRIEVAL_DEPTH)),
            retrieval_licence=value.get("retrieval_licence") or "",
        )
    except KeyError as error:
        raise MtbridgeError(f"{where}: the study lacks the key {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise MtbridgeError(f"{where}: not a study as JSON ({error})") from error
    _check(where, outline)
    return outline


def _read_json(study: str) -> tuple[str, dict]:
    """The place of the study's JSON, for errors, and its content."""
    where = "--study"
    if not study.lstrip().startswith("{"):
        where, path = study, Path(study)
        try:
            study = path.read_text(encoding="utf-8")
        except OSError as error:
            raise MtbridgeError(f"{path}: cannot be read ({error.strerror}); expected the study as JSON") from error
    try:
        return where, json.loads(study)
    except ValueError as error:
        raise MtbridgeError(f"{where}: not a study as JSON ({error})") from error


def _model(entry: dict) -> Model:
    optional = {
        key: entry.get(key)
        for key in ("base", "objective", "directions", "other", "intervention", "alpha", "steps", "match")
    }
    return Model(
        entry["key"],
        entry["label"],
        entry["kind"],
        seen=entry.get("seen") or {},
        origin=entry.get("origin") or "trained",
        replicates=tuple(entry.get("replicates") or ()),
        tasks_seen=tuple(entry.get("tasks_seen") or ()),
        **optional,
    )


def _numbered(label: str, number: int) -> str:
    """A model's label with the number of its pretraining, before the size: "mBART-like (2), 1.1 M"."""
    name, comma, size = label.partition(",")
    return f"{name} ({number}){comma}{size}"


def _task(entry: dict) -> OutlineTask:
    name, source = entry["name"], entry.get("source") or ""
    label = entry.get("label") or (name.upper() if name in ABBREVIATIONS else name)
    aligned = bool(entry.get("aligned", source == "generated"))
    licence, description = entry.get("licence") or "", entry.get("description") or ""
    return OutlineTask(name, entry["metric"], tuple(entry["languages"]), source, label, aligned, licence, description)


def _protocol(where: str, name: str, settings: dict) -> Protocol:
    try:
        return Protocol(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("protocols", name, *first["loc"]))
        raise MtbridgeError(f"{where}: {place}: {first['msg']}, got {first['input']!r}") from error


def _check(where: str, outline: Outline) -> None:
    """Raise MtbridgeError unless all kinds of models, kinds of exposure and metrics exist."""
    for model in outline.models:
        if model.kind not in MODEL_KINDS:
            expected = ", ".join(MODEL_KINDS)
            raise MtbridgeError(f"{where}: model {model.key}: kind '{model.kind}', expected one of {expected}")
        for kind in model.seen:
            if kind not in EXPOSURES:
                raise MtbridgeError(f"{where}: model {model.key}: seen.{kind}: expected one of {', '.join(EXPOSURES)}")
    for task in outline.tasks:
        if task.metric not in METRICS:
            expected = ", ".join(METRICS)
            raise MtbridgeError(f"{where}: task {task.name}: metric '{task.metric}', expected one of {expected}")
