"""What tables, figures and the page must know of a study.

An `Outline` is the small part of a study that decides what stands where: its models, tasks, recipes, seeds and
protocols, in the order in which they are shown. It is also the grid of what is expected, so whatever has no file yet is
a gap. `study.options` writes it as JSON, programs read it with `read_outline`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.specs.protocol import Protocol
from mtbridge.tasks.metrics import METRICS

# The pseudo-model that always says the most frequent class, and the recipe under which it is filed.
MAJORITY, NO_RECIPE = "majority", "none"

MODEL_KINDS = ("LM", "MT", "CP", "control")  # in the order of the columns
EXPOSURES = ("masked_lm", "denoising", "source", "target")  # what a model may have learnt from a language's text


@dataclass(frozen=True)
class Model:
    """A model as it is shown; `base` is the key of the model it was continued from.

    `seen` maps a kind of exposure (`EXPOSURES`) to languages; without it `objective` and `directions` say it, for a
    model that is trained in the study.
    """

    key: str
    label: str
    kind: str
    base: str | None = None
    seen: dict = field(default_factory=dict, compare=False)
    objective: str | None = None
    directions: str | None = None

    @property
    def is_untrained(self) -> bool:
        """Was it left as it was initialised? It is the floor: what fine-tuning alone can learn."""
        return self.objective == "none"


@dataclass(frozen=True)
class OutlineTask:
    """A task as it is shown: `metric` as in `tasks.metrics.METRICS`, `languages` in the order of the columns."""

    name: str
    metric: str
    languages: tuple[str, ...]
    source: str = ""
    label: str = ""


@dataclass(frozen=True)
class Outline:
    """Models (by kind: LM, MT, CP, controls; within a kind in the study's order), tasks, recipes, seeds, protocols."""

    name: str
    models: tuple[Model, ...]
    tasks: tuple[OutlineTask, ...]
    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    source_language: str
    protocols: dict[str, Protocol] = field(compare=False)
    settings: dict = field(default_factory=dict, compare=False)  # recipe -> its settings, for the report
    description: str = ""
    languages: tuple[str, ...] = ()  # of pretraining and similarity

    def model(self, key: str) -> Model:
        """The model of a key, which must be there."""
        return next(model for model in self.models if model.key == key)

    def label(self, key: str) -> str:
        """How a model is called; the key itself for one that the study does not have."""
        return next((model.label for model in self.models if model.key == key), key)

    def short(self, key: str) -> str:
        """A label for running text: up to its first comma."""
        return self.label(key).split(",")[0]

    @property
    def task_labels(self) -> dict[str, str]:
        """Name of a task -> how it is called."""
        return {task.name: task.label for task in self.tasks}

    def protocol(self, name: str) -> Protocol:
        """The settings of a protocol. Raises MtbridgeError for one that the study does not have."""
        if name not in self.protocols:
            raise MtbridgeError(f"--protocol: '{name}' is no protocol of the study; {nearest(name, self.protocols)}")
        return self.protocols[name]

    def corpus(self, protocol: str) -> str:
        """The corpus on which a protocol compares hidden states."""
        return self.protocol(protocol).corpus_name([task.name for task in self.tasks])

    @property
    def families(self) -> list[list[str]]:
        """Keys of every base and the models continued from it, the base first."""
        keys = {model.key for model in self.models}
        bases = dict.fromkeys(model.base for model in self.models if model.base in keys)
        return [[base, *(model.key for model in self.models if model.base == base)] for base in bases]

    def exposure(self, key: str) -> dict[str, set[str]] | None:
        """What a model and those it was continued from have seen: language -> kinds of `EXPOSURES`; None: not known.

        A language that is not in it was never seen.
        """
        if all(model.key != key for model in self.models):
            return {}
        model = self.model(key)
        own = model.seen or self._seen_in_training(model)
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

    def _seen_in_training(self, model: Model) -> dict | None:
        """What training on the study's own languages showed a model: kind of exposure -> languages."""
        if model.is_untrained:
            return {}
        if model.objective != "translation":
            return {model.objective: self.languages} if model.objective in EXPOSURES else None
        others = [language for language in self.languages if language != self.source_language]
        source = [self.source_language]
        return {
            "many-to-one": {"source": others, "target": source},
            "one-to-many": {"source": source, "target": others},
        }.get(model.directions, {"source": self.languages, "target": self.languages})

    def grid(self) -> Iterator[tuple[str, str, str, int]]:
        """Every expected run: (recipe, model, task, seed)."""
        for recipe in self.recipes:
            for model in self.models:
                for task in self.tasks:
                    for seed in self.seeds:
                        yield recipe, model.key, task.name, seed


def read_outline(study: str) -> Outline:
    """An Outline from JSON text, or from the path of a file that holds it.

    Keys: `name`, `models` (list of key, label, kind and optionally base, seen, objective, directions), `tasks` (list of
    name, metric, languages and optionally source, label), `recipes` (names, or a mapping of name to settings), `seeds`,
    `source_language`, `protocols` (name to settings), optionally `languages`, `description`; others are left alone.
    Raises MtbridgeError naming what is missing or wrong.
    """
    where, value = _read(study)
    try:
        models = [_model(entry) for entry in value["models"]]
        tasks = [_task(entry) for entry in value["tasks"]]
        protocols = {name: _protocol(where, name, settings) for name, settings in value["protocols"].items()}
        recipes = value["recipes"]
        outline = Outline(
            name=value["name"],
            models=tuple(sorted(models, key=lambda model: (*MODEL_KINDS, model.kind).index(model.kind))),
            tasks=tuple(tasks),
            recipes=tuple(recipes),
            seeds=tuple(int(seed) for seed in value["seeds"]),
            source_language=value["source_language"],
            protocols=protocols,
            settings=dict(recipes) if isinstance(recipes, dict) else {},
            description=value.get("description") or "",
            languages=tuple(value.get("languages") or ()),
        )
    except KeyError as error:
        raise MtbridgeError(f"{where}: the study lacks the key {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise MtbridgeError(f"{where}: not a study as JSON ({error})") from error
    _check(where, outline)
    return outline


def _read(study: str) -> tuple[str, dict]:
    """Where the study is described, for errors, and its JSON."""
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
    optional = {key: entry.get(key) for key in ("base", "objective", "directions")}
    return Model(entry["key"], entry["label"], entry["kind"], seen=entry.get("seen") or {}, **optional)


def _task(entry: dict) -> OutlineTask:
    label = entry.get("label") or entry["name"].upper()
    return OutlineTask(entry["name"], entry["metric"], tuple(entry["languages"]), entry.get("source") or "", label)


def _protocol(where: str, name: str, settings: dict) -> Protocol:
    try:
        return Protocol(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("protocols", name, *first["loc"]))
        raise MtbridgeError(f"{where}: {place}: {first['msg']}, got {first['input']!r}") from error


def _check(where: str, outline: Outline) -> None:
    """Kinds of models, kinds of exposure and metrics are known ones."""
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
