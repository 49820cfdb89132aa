"""The configuration: what may be set, what it means, and one line about what is wrong with it.

Three layers, later ones win key by key: the defaults below, a preset in workflow/studies/ (which may extend others),
and the user's config.yaml with what stands behind `--config`. The fields' descriptions are the documentation; the JSON
schema for editors is made from them (`python -m mtbridge.study.settings > workflow/schema.json`).
"""

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.specs.task import KINDS, METRICS, METRICS_OF_KIND, Task

STUDIES = Path(__file__).resolve().parents[2] / "studies"

# Names become parts of paths and of file names on every system, and nothing else.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value) or ".." in value:
        raise ValueError("a name is made of letters, digits, '.', '_' and '-', and starts with a letter or digit")
    return value


def items(value: Any) -> Any:
    """One item where a list is expected is a list of one: `--config tasks=pos`."""
    return [value] if isinstance(value, str | int) else value


def path(value: Any) -> Any:
    """What stands behind an option on a program's command line, and among a rule's inputs."""
    if isinstance(value, str) and (not value.strip() or value.startswith("-") or CONTROL.search(value)):
        raise ValueError("expected one line of text that does not begin with a dash, as an option does")
    if isinstance(value, str) and re.search("[{}]", value):
        raise ValueError("braces are Snakemake's wildcards; name it otherwise")
    return value


Name = Annotated[str, BeforeValidator(name)]
Place = Annotated[str, BeforeValidator(path)]
Names = Annotated[list[Name], BeforeValidator(items)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskSettings(Strict):
    kind: Literal[KINDS] = Field(description="What the examples are; see workflow/mtbridge/specs/task.py.")
    metric: Literal[tuple(METRICS)] = Field(description="How predictions are scored.")
    labels: list[str] = Field(min_length=2, description="The classes, in order. In a ranking: the gains.")
    columns: list[Name] = Field(default=["tokens"], description="Text columns, in file order; tagging: tokens.")
    segments: list[list[str]] = Field(
        default=[], description="Which columns are joined into each of a model's one or two texts; default: one each."
    )
    languages: Names | None = Field(
        default=None, description="Languages that are scored; default: those of the study that the source has."
    )
    source: dict[str, Any] | None = Field(
        default=None,
        description="Where the examples come from: {kind: generated}, {kind: xglue, path, folder, format}, "
        "{kind: datasets, path, config, revision, splits, columns, labels} or {kind: conllu, path}; default: the "
        "study's `source`.",
    )
    train: int | None = Field(default=None, ge=1, description="At most so many training examples.")
    dev: int | None = Field(default=None, ge=1, description="At most so many dev examples a language.")
    test: int | None = Field(default=None, ge=1, description="At most so many test examples a language.")


class ModelSettings(Strict):
    label: str = Field(description="How the model is called in tables and figures.")
    kind: Literal["LM", "CP", "MT", "control"] = Field(
        description="Language model, continued pretraining on translation, translation from scratch, or a control."
    )
    source: Literal["trained", "local", "hub"] = Field(
        default="trained",
        description="`trained` here from the study's corpus, a `local` checkpoint directory, or one from the `hub`.",
    )
    path: Place | None = Field(default=None, description="Directory of a local checkpoint.")
    repo: Place | None = Field(default=None, description="Repository of a hub model: owner/name, or a local directory.")
    revision: Place = Field(
        default="main", description="Branch, tag or commit of a hub model; locked when first fetched."
    )
    tokenizer: Name | None = Field(
        default=None,
        description="Which of the study's tokenizers the model uses; default: that of its base, `shared` if trained "
        "here from scratch, else its own.",
    )
    seen: dict[str, list[Name]] = Field(
        default={}, description="What the model was trained on, per kind of exposure the languages: {denoising: [en]}."
    )
    base: Name | None = Field(default=None, description="The model whose pretraining this one continues.")
    family: Literal["bert", "xlm-roberta", "mbart", "m2m_100"] | None = Field(
        default=None,
        description="Architecture, needed where nobody could know it yet: of a hub model, and of one "
        "trained here from scratch.",
    )
    objective: Literal["masked_lm", "denoising", "translation", "none"] | None = Field(
        default=None, description="What a trained model learns; `none` leaves it untrained."
    )
    directions: Literal["many-to-one", "one-to-many", "english-centric", "all"] | None = Field(
        default=None, description="Of translation."
    )
    steps: int | None = Field(default=None, ge=0, description="Updates of a trained model.")


class RecipeValues(Strict):
    learning_rate: float = Field(default=5e-6, gt=0, description="Peak learning rate of AdamW.")
    epochs: int = Field(default=10, ge=1, description="Passes over the English training examples.")
    batch_size: int = Field(default=32, ge=1, description="Examples of one update, over all devices.")
    warmup: float = Field(default=0.1, ge=0, le=1, description="Share of the updates with rising learning rate.")
    weight_decay: float = Field(default=0.0, ge=0, description="Decoupled weight decay of matrices.")
    clip: float = Field(default=1.0, gt=0, description="Largest norm of the gradients of one update.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout before the head.")
    max_length: int = Field(default=256, ge=8, description="Tokens of an input, specials included.")
    pooling: Literal["mean", "first", "eos"] = Field(default="mean", description="How a text becomes one vector.")
    pair_encoding: Literal["family", "separator"] = Field(
        default="family", description="Two texts as the model was pretrained, or always with a separator."
    )
    language_tag: Literal["own", "English"] = Field(
        default="own", description="Tag of the text's language, or English's, for models that take one."
    )
    selection: Literal["last", "en_dev", "mean_dev"] = Field(
        default="en_dev",
        description="The epoch whose weights are kept: the last, the best on English dev, or on all dev.",
    )
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32",
        description="Of the computation; weights stay fp32. Without bf16 instructions, bf16 is computed in fp32.",
    )


class RecipeSettings(RecipeValues):
    by_task: dict[Name, dict[str, Any]] = Field(
        default={}, description="Settings that differ for a task: {pos: {learning_rate: 2e-5}}."
    )

    def values(self, task: str) -> dict:
        """The settings that hold for a task."""
        common = self.model_dump(exclude={"by_task"})
        return RecipeValues(**{**common, **self.by_task.get(task, {})}).model_dump()


class Architecture(Strict):
    hidden_size: int = Field(default=128, ge=8, description="Width.")
    layers: int = Field(default=4, ge=1, description="Layers of every encoder.")
    decoder_layers: int = Field(default=2, ge=1, description="Layers of the decoders of denoising and translation.")
    heads: int = Field(default=4, ge=1, description="Attention heads.")
    feedforward: int = Field(default=512, ge=8, description="Width of the feed-forward layers.")
    positions: int = Field(default=130, ge=16, description="Longest input in tokens, with two to spare.")
    initializer_range: float = Field(default=0.04, gt=0, description="Standard deviation of the first weights.")


class Pretraining(Strict):
    tokens_per_step: int = Field(default=500, ge=64, description="Tokens of an update, source and target together.")
    learning_rate: float = Field(default=2e-3, gt=0, description="Peak learning rate.")
    warmup: float = Field(default=0.1, ge=0, le=1, description="Share of the steps with rising learning rate.")
    mask_share: float = Field(default=0.15, gt=0, lt=1, description="Share of tokens predicted in masked LM.")
    noise_share: float = Field(default=0.35, gt=0, lt=1, description="Share of tokens hidden in denoising.")
    sentences: int = Field(default=3, ge=1, description="Consecutive lines that make one text.")
    seed: int = Field(default=1, ge=0, description="Of weights and order.")
    threads: int = Field(default=1, ge=1, description="CPU threads of one pretraining.")


class ExamplesCorpus(Strict):
    task: Name = Field(description="Task of the catalog; its test examples are taken in the order of their file.")
    columns: Names = Field(description="Its columns, joined by a space.")


class Corpora(Strict):
    pretraining: int = Field(default=30000, ge=1, description="Lines a language to train on.")
    heldout: int = Field(default=100, ge=1, description="Lines a direction on which translation is shown.")
    parallel: int = Field(default=1000, ge=4, description="Aligned lines on which hidden states are compared.")
    parallel_from: ExamplesCorpus | None = Field(
        default=None, description="Take the aligned lines from a task whose examples are translations of each other."
    )
    stems: dict[Literal["pretraining", "heldout", "parallel"], list[Place]] = Field(
        default={"pretraining": ["train"], "heldout": ["dev"], "parallel": ["test", "dev"]},
        description="Which files `<stem>.<language>` of a corpus folder make which corpus.",
    )


class Tokenizer(Strict):
    vocabulary: int = Field(default=6000, ge=100, description="Entries of one trained here, specials included.")
    model: Name | None = Field(default=None, description="Take this model's own tokenizer instead of training one.")


class Settings(Strict):
    study: Name = Field(default="mini", description="The preset in workflow/studies/ that this study starts from.")
    name: Name | None = Field(default=None, description="Folder under results/; default: the preset's name.")
    extends: Names = Field(default=[], description="Presets that a preset builds on (only in presets).")
    description: str = Field(default="", description="One sentence for the report.")
    languages: Names | None = Field(
        default=None,
        description="Languages of pretraining and similarity, English among them; default: those of the corpus.",
    )
    models: Names = Field(min_length=1, description="Which models of the catalog are run, in the order of the tables.")
    tasks: Names = Field(min_length=1, description="Which tasks of the catalog are run, in the order of the tables.")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], BeforeValidator(items)] = Field(
        default=[1, 2], min_length=1, description="One fine-tuning run per recipe, model, task and seed."
    )
    recipes: dict[Name, RecipeSettings] = Field(
        default={"default": RecipeSettings()},
        min_length=1,
        description="Named sets of fine-tuning settings; each says what it does otherwise than `default`.",
    )
    protocols: Annotated[list[Literal["sound", "paper"]], BeforeValidator(items)] = Field(
        default=["sound"], min_length=1, description="How runs are shown; the first is the study's own. Never retrains."
    )
    source: dict[str, Any] = Field(default={"kind": "generated"}, description="Where a task's examples come from.")
    xglue: Place | None = Field(
        default=None, description="The XGLUE release's folder or tar.gz, or one laid out alike."
    )
    corpus: Place | None = Field(
        default=None, description="Folder of line-aligned text, `<stem>.<language>`; default: generated text."
    )
    corpora: Corpora = Field(default=Corpora(), description="How much text.")
    train: int | None = Field(default=None, ge=1, description="At most so many training examples a task.")
    dev: int | None = Field(default=None, ge=1, description="At most so many dev examples a task and language.")
    test: int | None = Field(default=None, ge=1, description="At most so many test examples a task and language.")
    data_seed: int = Field(default=1, ge=0, description="Of generated data and of samples of training examples.")
    tokenizers: dict[Name, Tokenizer] = Field(default={"shared": Tokenizer()}, description="Trained on the corpus.")
    architecture: Architecture = Field(default=Architecture(), description="Sizes of the models that are trained here.")
    pretraining: Pretraining = Field(default=Pretraining(), description="How models are trained here.")
    similarity_length: int = Field(default=128, ge=8, description="Tokens at which a line is cut for hidden states.")
    threads: int = Field(default=1, ge=1, description="CPU threads of one fine-tuning or prediction.")
    gpus: int = Field(default=0, ge=0, description="GPUs of one fine-tuning; more than one start Accelerate.")
    checkpoint_minutes: float = Field(
        default=5, ge=0, description="Minutes after which an unfinished training keeps its state again."
    )
    runs_per_gpu: int = Field(
        default=1, ge=1, description="Fine-tunings that share a GPU of this machine, where one does not fill it."
    )
    container: Place | None = Field(
        default=None, description="Apptainer image in which jobs run with `--sdm apptainer`; see envs/mtbridge.def."
    )
    keep_weights: bool = Field(default=True, description="Keep fine-tuned weights after their predictions are made.")
    published: bool = Field(
        default=False, description="Put the values of arXiv 2403.16777 beside ours; for its own models alone."
    )
    partial: bool = Field(default=False, description="Build tables and figures from what is finished; show gaps.")
    task_catalog: dict[Name, TaskSettings] = Field(default={}, description="Every task that can be run.")
    model_catalog: dict[Name, ModelSettings] = Field(default={}, description="Every model that can be run.")

    # ---- What follows from the settings ----

    @property
    def folder(self) -> str:
        return self.name or self.study

    def task(self, key: str) -> Task:
        task = self.task_catalog[key]
        segments = tuple(tuple(segment) for segment in task.segments)
        return Task(key, task.kind, tuple(task.labels), task.metric, tuple(task.columns), segments)

    def tokenizer_of(self, model: str) -> str:
        """The name of a model's tokenizer."""
        spec = self.model_catalog[model]
        if spec.tokenizer is None and spec.source == "trained":
            return self.tokenizer_of(spec.base) if spec.base else "shared"
        return spec.tokenizer or model

    def tokenizer_model(self, tokenizer: str) -> str | None:
        """The model whose own tokenizer this is, or None for one that is trained here."""
        known = self.tokenizers.get(tokenizer)
        return known.model if known else tokenizer

    def source_of(self, key: str) -> dict:
        """A task's source; an xglue source without a path takes the study's `xglue`."""
        source = dict(self.task_catalog[key].source or self.source)
        if source.get("kind") == "xglue" and "path" not in source and self.xglue:
            source["path"] = self.xglue
        return source

    def size(self, key: str, split: str) -> int | None:
        """At most so many examples of a split."""
        own = getattr(self.task_catalog[key], split)
        return own if own is not None else getattr(self, split)

    def plan(self, key: str) -> dict:
        """How a trained model is pretrained: family, objective, directions, steps and base."""
        model = self.model_catalog[key]
        family = model.family
        base = model.base
        while family is None and base is not None:
            family, base = self.model_catalog[base].family, self.model_catalog[base].base
        return {
            "family": family,
            "objective": model.objective,
            "directions": model.directions,
            "steps": model.steps,
            "base": model.base,
        }


def merge(below: dict, above: dict) -> dict:
    """`above` over `below`, mappings key by key, everything else whole."""
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and key != "source":
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def read_yaml(path: Path) -> dict:
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}" if mark else ""
        raise MtbridgeError(f"{path}{at}: not YAML ({getattr(error, 'problem', error)})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise MtbridgeError(f"{path}: cannot be read ({error})") from error
    if not isinstance(value, dict):
        raise MtbridgeError(f"{path}: expected keys and values, as in `study: mini`")
    return value


def preset(study: Any, seen: tuple = ()) -> list[tuple[str, dict]]:
    """The layers of a preset, (where, content), lowest first."""
    path = STUDIES / f"{study}.yaml"
    known = {p.stem for p in STUDIES.glob("*.yaml") if not p.stem.startswith("_")}
    if not path.exists() or (not seen and str(study).startswith("_")):
        raise MtbridgeError(f"config.yaml: study: '{study}' is no preset; {nearest(study, known)}")
    if study in seen:
        raise MtbridgeError(f"{path}: extends: '{study}' extends itself")
    content = read_yaml(path)
    below = [layer for one in content.pop("extends", []) for layer in preset(one, (*seen, study))]
    return [*below, (f"workflow/studies/{study}.yaml", content)]


def lock_file(study: str) -> str:
    """The file beside a preset that holds the commits and checksums of the models it names."""
    return f"workflow/studies/{study}.lock.json"


def lock_files(study: str) -> dict[str, str]:
    """Model -> the lock file beside the preset that names its repository; the studies that extend it share the file."""
    return {
        model: lock_file(Path(where).stem)
        for where, content in preset(study)
        for model, spec in content.get("model_catalog", {}).items()
        if "repo" in spec
    }


def load(user: dict, where: str = "config.yaml or --config") -> Settings:
    """Settings from the user's values over the preset they name; MtbridgeError in one line if anything is wrong."""
    user = {key: value for key, value in user.items() if value is not None}
    study = user.get("study", "mini")
    layers = [*preset(study), (where, {**user, "study": study})]
    values: dict = {}
    for _, content in layers:
        values = merge(values, content)
    # A recipe is told by what it does otherwise than `default`.
    recipes = values.get("recipes")
    if isinstance(recipes, dict) and isinstance(recipes.get("default"), dict):
        values["recipes"] = {
            name: merge(recipes["default"], recipe) if isinstance(recipe, dict) else recipe
            for name, recipe in recipes.items()
        }
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise MtbridgeError(told(error, layers)) from None
    check(settings, layers)
    return settings


def source_layer(location: tuple, layers: list) -> str:
    """Which layer set a key: the uppermost that has it."""
    for where, content in reversed(layers):
        at: Any = content
        for key in location:
            try:
                at = at[key]
            except (KeyError, IndexError, TypeError):
                break
        else:
            return where
    return source_layer(location[:-1], layers) if location else layers[-1][0]


def told(error: ValidationError, layers: list) -> str:
    """The first thing that is wrong, with file, key, value and the nearest valid key."""
    first = error.errors()[0]
    location = tuple(first["loc"])
    key = ".".join(str(part) for part in location)
    where = source_layer(location, layers)
    if first["type"] == "extra_forbidden":
        fields = fields_at(location[:-1])
        return f"{where}: {key}: there is no such key; {nearest(str(location[-1]), fields)}"
    value = first["input"]
    hint = ""
    if first["type"] == "literal_error" and isinstance(value, str):
        hint = "; " + nearest(value, re.findall(r"'([^']+)'", first["ctx"]["expected"]))
    if first["type"] == "missing":
        return f"{where}: {key}: is missing"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {key}: {message[0].lower() + message[1:]}, got {json.dumps(value, default=str)}{hint}"


def fields_at(location: tuple) -> list[str]:
    """The keys that may stand at a place of the configuration."""
    models = {
        "task_catalog": TaskSettings,
        "model_catalog": ModelSettings,
        "recipes": RecipeSettings,
        "tokenizers": Tokenizer,
        "architecture": Architecture,
        "pretraining": Pretraining,
        "corpora": Corpora,
    }
    return list((models.get(location[0], Settings) if location else Settings).model_fields)


def check(settings: Settings, layers: list) -> None:
    """What no single field can tell: names that refer to others, bases, languages, sources."""
    from mtbridge.data.corpora import languages_of
    from mtbridge.data.readers import KINDS as KINDS_OF_SOURCE
    from mtbridge.data.readers import available_languages

    def wrong(location: tuple, message: str):
        key = ".".join(str(part) for part in location)
        raise MtbridgeError(f"{source_layer(location, layers)}: {key}: {message}")

    def known(location: tuple, value: str, among, what: str):
        if value not in among:
            wrong(location, f"'{value}' is no {what}; {nearest(value, among)}")

    for i, task in enumerate(settings.tasks):
        known(("tasks", i), task, settings.task_catalog, "task of the catalog")
    for i, model in enumerate(settings.models):
        known(("models", i), model, settings.model_catalog, "model of the catalog")
    if "majority" in settings.models:
        wrong(("models",), "'majority' is the name of the baseline; call the model otherwise")
    for field in ("models", "tasks", "seeds", "protocols", "languages"):
        values = getattr(settings, field) or []
        if len(set(values)) < len(values):
            wrong((field,), f"names one twice, {values}")
    for recipe, values in settings.recipes.items():
        for task, own in values.by_task.items():
            known(("recipes", recipe, "by_task", task), task, settings.task_catalog, "task of the catalog")
            for key in own:
                known(("recipes", recipe, "by_task", task, key), key, RecipeValues.model_fields, "setting of a recipe")
        for task in settings.tasks:
            try:
                values.values(task)
            except ValidationError as error:
                first = error.errors()[0]
                wrong(("recipes", recipe, "by_task", task, *first["loc"]), first["msg"])
    if settings.corpus is not None:
        languages_of(settings.corpus, settings.corpora.stems["pretraining"][0])
    languages = study_languages(settings)
    if "en" not in languages:
        wrong(("languages",), f"English ('en') must be among them, got {', '.join(languages)}")
    for key in settings.models:
        check_model(settings, key, wrong, known)
        if settings.published and settings.model_catalog[key].source == "trained":
            wrong(("published",), f"published values never stand beside a model that is trained here, as '{key}' is")
    if settings.corpora.parallel_from is not None:
        task = settings.corpora.parallel_from.task
        known(("corpora", "parallel_from", "task"), task, settings.task_catalog, "task of the catalog")
        for column in settings.corpora.parallel_from.columns:
            columns = settings.task_catalog[task].columns
            known(("corpora", "parallel_from", "columns"), column, columns, f"column of {task}")
        for language in languages:
            if language not in task_languages(settings, task):
                wrong(("corpora", "parallel_from", "task"), f"'{task}' has no '{language}', a language of the study")
    for key in settings.tasks:
        task, source = settings.task_catalog[key], settings.source_of(key)
        at = ("task_catalog", key)
        if task.metric not in METRICS_OF_KIND[task.kind]:
            wrong((*at, "metric"), f"'{task.metric}' does not fit the kind {task.kind}; {METRICS_OF_KIND[task.kind]}")
        for segment in task.segments:
            for column in segment:
                known((*at, "segments"), column, task.columns, "column of the task")
        texts = len(task.segments or task.columns)
        if texts > 2 or (task.kind in ("pair", "ranking") and texts != 2):
            wrong((*at, "segments"), f"make {texts} texts; expected two (a classification may have one)")
        if len(set(task.labels)) < len(task.labels):
            wrong((*at, "labels"), "names a label twice")
        if odd := [label for label in task.labels if label.startswith("-")]:
            wrong(
                (*at, "labels"), f"'{odd[0]}' begins with a dash, which programs take for an option; map it to another"
            )
        if odd := [label for label in task.labels if CONTROL.search(label)]:
            wrong((*at, "labels"), f"{json.dumps(odd[0])} holds a control character; map it to another")
        if len(set(task.languages or [])) < len(task.languages or []):
            wrong((*at, "languages"), "names a language twice")
        if source.get("kind") not in KINDS_OF_SOURCE:
            wrong((*at, "source"), f"has no kind that is known; {nearest(source.get('kind') or '', KINDS_OF_SOURCE)}")
        if source["kind"] != "generated" and not source.get("path"):
            need = "set `xglue:` to the release's folder or tar.gz" if source["kind"] == "xglue" else "set its path"
            wrong(("xglue",) if source["kind"] == "xglue" else (*at, "source"), f"task '{key}' has no source; {need}")
        for part in ("path", "folder"):
            if re.search("[{}]", re.sub("{(language|split)}", "", str(source.get(part)))):
                wrong((*at, "source", part), "of what stands in braces only {language} and {split} are known")
        there = available_languages(source, key)
        if there is not None:
            for language in task.languages or []:
                if language not in there:
                    wrong((*at, "languages"), f"the source has no '{language}'; it has {', '.join(sorted(there))}")
            if "en" not in there:
                wrong((*at, "source"), "the source has no English, which is what is trained on")
        if "en" not in task_languages(settings, key):
            wrong((*at, "languages"), "English ('en') must be among them: it is what is trained on")


def check_model(settings: Settings, key: str, wrong, known) -> None:
    """A model and all it is continued from."""
    at, seen = ("model_catalog", key), []
    model = settings.model_catalog[key]
    while True:
        if model.source == "local":
            if not model.path:
                wrong((*at, "path"), "a local model needs the directory of its checkpoint")
            if not (Path(model.path) / "config.json").exists():
                wrong((*at, "path"), f"'{model.path}' holds no config.json; expected a checkpoint directory")
        elif model.source == "hub":
            if not model.repo:
                wrong((*at, "repo"), "a hub model needs its repository, as in facebook/mbart-large-50")
            if not model.family:
                wrong((*at, "family"), "a hub model needs it: bert, xlm-roberta, mbart or m2m_100")
        else:
            if model.objective is None or model.steps is None:
                wrong((*at, "objective" if model.objective is None else "steps"), "a trained model needs it")
            if (model.objective == "translation") != (model.directions is not None):
                wrong((*at, "directions"), "belongs to the objective translation, and is needed there")
            if model.base is None and model.family is None:
                wrong((*at, "family"), "a model that is trained from scratch needs it")
        if model.base is None:
            break
        known((*at, "base"), model.base, settings.model_catalog, "model of the catalog")
        seen.append(at[1])
        if model.base in seen:
            wrong((*at, "base"), f"a circle of bases: {' -> '.join([*seen, model.base])}")
        at, model = ("model_catalog", model.base), settings.model_catalog[model.base]
    spec = settings.model_catalog[key]
    if spec.tokenizer is not None:
        known(("model_catalog", key, "tokenizer"), spec.tokenizer, settings.tokenizers, "tokenizer of the study")
    owner = settings.tokenizer_model(settings.tokenizer_of(key))
    if owner is not None:
        known(("tokenizers", settings.tokenizer_of(key), "model"), owner, settings.model_catalog, "model")
    family = settings.plan(key)["family"]
    objective = settings.model_catalog[key].objective
    if objective == "translation" and len(study_languages(settings)) < 2:
        wrong(("languages",), f"'{key}' learns to translate and needs two languages at least")
    if settings.model_catalog[key].source == "trained":
        longest = settings.architecture.positions - 2
        for recipe, values in settings.recipes.items():
            if values.max_length > longest:
                told = (
                    f"{values.max_length}, but models that are trained here take {longest} (architecture.positions - 2)"
                )
                wrong(("recipes", recipe, "max_length"), told)
        if settings.similarity_length > longest:
            wrong(("similarity_length",), f"{settings.similarity_length}, but '{key}' takes {longest} at most")
    if settings.model_catalog[key].source == "trained" and objective not in ("none", None):
        sequence = family in ("mbart", "m2m_100")
        if sequence == (objective == "masked_lm"):
            wrong(("model_catalog", key, "objective"), f"{objective} cannot be learnt by the family {family}")


def study_languages(settings: Settings) -> list[str]:
    """The study's languages: as set, or those of the corpus, or of the generated world."""
    if settings.languages:
        return list(settings.languages)
    if settings.corpus is not None:
        from mtbridge.data.corpora import languages_of

        return sorted(languages_of(settings.corpus, settings.corpora.stems["pretraining"][0]))
    from mtbridge.data.world import LANGUAGES

    return list(LANGUAGES)


def task_languages(settings: Settings, key: str) -> list[str]:
    """The languages that a task is scored in: as set, or those of the study that its source has."""
    from mtbridge.data.readers import available_languages

    languages = settings.task_catalog[key].languages
    if languages:
        return list(languages)
    there = available_languages(settings.source_of(key), key)
    return [language for language in study_languages(settings) if there is None or language in there]


def schema() -> str:
    """The JSON schema of config.yaml, for editors."""
    properties = Settings.model_json_schema()
    # A user's file sets what differs from the preset, so nothing is required in it.
    properties.pop("required", None)
    return json.dumps(properties, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
