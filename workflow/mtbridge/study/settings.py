"""The settings of a study: what config.yaml and presets may hold. Their descriptions are the documentation.

They come from three layers, see `study.load`: the defaults below, a preset in workflow/studies/ (which may extend
others), and the user's config.yaml with the values of `--config`. Settings that programs need too are declared in
`specs`.
"""

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field

from mtbridge.specs.adaptation import Decoding
from mtbridge.specs.intervention import Intervention, InterventionPlan
from mtbridge.specs.names import Name, Names, Place, split_replicate, to_list
from mtbridge.specs.pretraining import (
    PARALLEL,
    Architecture,
    Directions,
    Objective,
    PretrainingPlan,
    PretrainingSettings,
)
from mtbridge.specs.protocol import Protocol
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.setting import description_of, setting, specification
from mtbridge.specs.source import AnySource, Generated, Source, Xglue
from mtbridge.specs.task import Resampling, Task, TaskFields
from mtbridge.study.model_settings import ModelSettings
from mtbridge.study.recipe_settings import AdaptationSettings, RecipeSettings
from mtbridge.study.setting_groups import Corpora, Retrieval, Strict, Tokenizer, Translation
from mtbridge.tasks.kinds import GENERATION, KINDS
from mtbridge.tasks.metrics import METRICS

# The language of training. Programs take it as an option; templates and tokenizers fall back on its tag.
SOURCE_LANGUAGE = "en"

# Between the seeds of two pretrainings of a model, so that other seeds of a study do not repeat them.
SEEDS_APART = 10_000

# Where the weights come from that a model's training here, if there is any, begins with: drawn here, or a checkpoint.
Origin = Literal["trained", "published"]

# Choices that are declared elsewhere. A type checker takes only literals, so for it they are texts.
if TYPE_CHECKING:
    KindName = str
    MetricName = str
else:
    KindName = Literal[tuple(KINDS)]
    MetricName = Literal[(*METRICS, *KINDS[GENERATION].metrics)]


@specification
class TaskSettings(TaskFields):
    """A task of the catalog."""

    kind: KindName = setting(description=description_of(TaskFields, "kind"))
    metric: MetricName = setting(description=description_of(TaskFields, "metric"))
    languages: Names | None = setting(
        None, description="Languages that are scored; default: those of the study that the source has."
    )
    source: Source | None = setting(
        None, description="Where the examples come from, by its `kind`; default: the study's `source`."
    )
    dev_languages: Names | None = setting(
        None,
        description="Of these, those that have dev examples, the source language among them; default: all. In the "
        "others the task has test alone.",
    )
    licence: str | None = setting(
        None,
        description="Licence of the examples, as tables show it; default: what the dataset's card on the Hub says.",
        identity=False,
    )
    aligned: bool | None = setting(None, description=description_of(Resampling, "aligned"))
    group: Name | None = setting(None, description=description_of(Resampling, "group"))
    label: str | None = setting(
        None, description="How the task is called in tables and figures; default: its name in capitals.", identity=False
    )
    description: str | None = setting(
        None, description="What a model is asked to do, in a few words that the page shows.", identity=False
    )
    train: int | None = setting(None, description="At most so many training examples.", ge=1)
    dev: int | None = setting(None, description="At most so many dev examples a language.", ge=1)
    test: int | None = setting(None, description="At most so many test examples a language.", ge=1)

    def task(self, name: str) -> Task:
        """The task itself, without the source of its examples."""
        return Task(name, **{field.name: getattr(self, field.name) for field in fields(TaskFields)})


@specification
class Pretraining(PretrainingSettings):
    """How models are trained here."""

    threads: int = setting(1, description="CPU threads of one pretraining.", ge=1, identity=False)


class Settings(Strict):
    """Everything that a study may set."""

    study: Name = setting(default="mini", description="The preset in workflow/studies/ that this study starts from.")
    name: Name | None = setting(
        identity=False, default=None, description="Folder under results/; default: the preset's name."
    )
    extends: Names = setting(default=[], description="Presets that a preset builds on (only in presets).")
    description: str = setting(identity=False, default="", description="One sentence for the report.")
    languages: Names | None = setting(
        default=None,
        description="Languages of pretraining and similarity, the source language among them; default: the corpus's.",
    )
    models: Names = setting(
        min_length=1, description="Which models of the catalog are run, in the order of the tables."
    )
    tasks: Names = setting(min_length=1, description="Which tasks of the catalog are run, in the order of the tables.")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], BeforeValidator(to_list)] = setting(
        default=[1, 2], min_length=1, description="One fine-tuning run per recipe, model, task and seed."
    )
    replicates: int = setting(
        default=1,
        ge=1,
        description="How many times every model that is trained here is pretrained, from other first weights and on "
        "the text in another order; what is continued from a checkpoint is pretrained once.",
    )
    recipes: dict[Name, RecipeSettings] = setting(
        default={"default": RecipeSettings()},
        min_length=1,
        description="Named sets of fine-tuning settings; each says what it does otherwise than `default`.",
    )
    recipe_defaults: dict[Origin, RecipeSettings] = setting(
        default={},
        description="What recipes leave out, by where a model's weights come from: `trained` here from scratch, or "
        "`published`: a checkpoint (`local` or `hub`) and what is continued from it. What is left out here too has the "
        "defaults below.",
    )
    adaptations: dict[Name, AdaptationSettings] = setting(
        default={"full": AdaptationSettings()},
        min_length=1,
        description="Named ways in which models are adapted to tasks of the kind generation.",
    )
    decoding: Decoding = setting(default=Decoding(), description="How outputs of tasks of generation are written.")
    translation: Translation = setting(
        default=Translation(), description="The test of translation, for models that translate."
    )
    protocols: Names = setting(
        identity=False,
        default=["sound"],
        min_length=1,
        description="Which protocols of the catalog runs are scored and shown by; the first is the study's own. Never "
        "retrains.",
    )
    compare: list[tuple[Name, Name]] = setting(
        identity=False,
        default=[],
        description="Further contrasts: pairs of models, or of recipes: [[mine, mbert], [default, english-tag]].",
    )
    primary: Names = setting(
        identity=False,
        default=[],
        description="The continued models that the study's question is about; verdicts are corrected for how many they "
        "are. Default: all of the kind CP.",
    )
    margin: float = setting(
        identity=False,
        default=1.0,
        gt=0,
        description="Percent points below which a difference does not matter; fixed before the results are seen.",
    )
    source: Source = setting(default=Generated(), description="Where a task's examples come from, by its `kind`.")
    xglue: Place | None = setting(
        default=None, description="The XGLUE release's folder or tar.gz, or one laid out alike."
    )
    corpus: Place | None = setting(
        default=None, description="Folder of line-aligned text, `<stem>.<language>`; default: generated text."
    )
    corpora: Corpora = setting(default=Corpora(), description="How much text.")
    retrieval: Retrieval = setting(default=Retrieval(), description="Where translations of sentences are looked for.")
    train: int | None = setting(default=None, ge=1, description="At most so many training examples a task.")
    dev: int | None = setting(default=None, ge=1, description="At most so many dev examples a task and language.")
    test: int | None = setting(default=None, ge=1, description="At most so many test examples a task and language.")
    data_seed: int = setting(default=1, ge=0, description="Of generated data, and of samples of examples and lines.")
    tokenizers: dict[Name, Tokenizer] = setting(default={"shared": Tokenizer()}, description="Trained on the corpus.")
    architecture: Architecture = setting(
        default=Architecture(), description="Sizes of the models that are trained here."
    )
    pretraining: Pretraining = setting(default=Pretraining(), description="How long and how fast they are trained.")
    similarity_length: int = setting(default=128, ge=8, description="Tokens at which a line is cut for hidden states.")
    separability_after: Names = setting(
        identity=False,
        default=[],
        description="Tasks after whose fine-tuning, too, it is measured how far languages lie apart in hidden states.",
    )
    threads: int = setting(identity=False, default=1, ge=1, description="CPU threads of one fine-tuning or prediction.")
    gpus: int = setting(
        identity=False, default=0, ge=0, description="GPUs of one fine-tuning; more than one start Accelerate."
    )
    checkpoint_minutes: float = setting(
        identity=False, default=5, ge=0, description="Minutes after which an unfinished training keeps its state again."
    )
    runs_per_gpu: int = setting(
        identity=False,
        default=1,
        ge=1,
        description="Fine-tunings that share a GPU of this machine, where one does not fill it.",
    )
    container: Place | None = setting(
        identity=False,
        default=None,
        description="Apptainer image in which jobs run with `--sdm apptainer`; see envs/mtbridge.def.",
    )
    keep_weights: bool = setting(
        identity=False, default=True, description="Keep fine-tuned weights after their predictions are made."
    )
    published: bool = setting(
        identity=False,
        default=False,
        description="Put the values of arXiv 2403.16777 beside ours; for its own models alone.",
    )
    partial: bool = setting(
        identity=False, default=False, description="Build tables and figures from what is finished; show gaps."
    )
    task_catalog: dict[Name, TaskSettings] = setting(default={}, description="Every task that can be run.")
    model_catalog: dict[Name, ModelSettings] = setting(default={}, description="Every model that can be run.")
    protocol_catalog: dict[Name, Protocol] = setting(
        default={"sound": Protocol()}, description="Every way in which runs can be scored and shown."
    )

    # ---- Values that follow from the settings ----

    def first_model(self, model: str) -> ModelSettings:
        """The model from which a model was continued here, over all steps, or which it is like; itself if neither."""
        spec = self.model_catalog[model]
        while (before := spec.like or (spec.base if spec.is_made_here else None)) is not None:
            spec = self.model_catalog[before]
        return spec

    def origin(self, model: str) -> Origin:
        """Where a model's first weights come from; a model has the origin of its base, with which it is compared."""
        return "trained" if self.first_model(model).is_made_here else "published"

    def replicates_of(self, model: str) -> int:
        """How many times a model is pretrained here; 1 for a checkpoint, and for what is continued from one.

        By default as many times as the study says, but no more than what it is continued from or matched with.
        """
        spec = self.model_catalog[model]
        if spec.replicates is not None:
            return spec.replicates
        if self.origin(model) != "trained":
            return 1
        made_of = (spec.base, spec.match, spec.other)
        limits = [self.replicates_of(other) for other in made_of if other in self.model_catalog]
        return min([self.replicates, *limits])

    def recipe_layers(self, name: str, origin: Origin, task: str | None) -> list[tuple[tuple, dict[str, Any]]]:
        """Where a recipe's settings come from, the lowest first: (key in the config, settings that are set there).

        task: None leaves out the settings that differ for a task.
        """
        groups: list[tuple[tuple, RecipeSettings]] = [
            (("recipe_defaults", origin), self.recipe_defaults.get(origin, RecipeSettings()))
        ]
        groups.append((("recipes", name), self.recipes[name]))
        layers: list[tuple[tuple, dict[str, Any]]] = []
        for key, group in groups:
            layers.append((key, group.common))
            if task is not None:
                layers.append(((*key, "by_task", task), group.by_task.get(task, {})))
        return layers

    def recipe(self, name: str, origin: Origin, task: str | None = None) -> Recipe:
        """A recipe as it applies to models of an origin and to a task; without a task, as far as tasks share it."""
        values: dict[str, Any] = {}
        for _, settings in self.recipe_layers(name, origin, task):
            values |= settings
        return Recipe(**values)

    def recipe_record(self, name: str, origin: Origin, tasks: list[str]) -> dict[str, Any]:
        """A recipe as it applies to models of an origin: all settings, and under `by_task` those that differ."""
        common = asdict(self.recipe(name, origin))
        by_task = {}
        for task in tasks:
            own = asdict(self.recipe(name, origin, task))
            if different := {key: value for key, value in own.items() if value != common[key]}:
                by_task[task] = different
        return {**common, "by_task": by_task}

    def directions_of(self, model: str) -> Directions | None:
        """The directions in which a model translates; None if it does not."""
        spec = self.model_catalog[model]
        if spec.source == "trained":
            return spec.directions if spec.objective == "translation" else None
        return spec.translates

    @property
    def understanding_tasks(self) -> list[str]:
        """The tasks that are run and predict labels, not texts."""
        return [task for task in self.tasks if self.task_catalog[task].kind != GENERATION]

    @property
    def generation_tasks(self) -> list[str]:
        """The tasks that are run and for which texts are written."""
        return [task for task in self.tasks if self.task_catalog[task].kind == GENERATION]

    @property
    def source_language(self) -> str:
        """The language of training; every other one is scored zero-shot."""
        return SOURCE_LANGUAGE

    @property
    def folder(self) -> str:
        """The study's folder under results/."""
        return self.name or self.study

    def task(self, key: str) -> Task:
        """A task of the catalog."""
        return self.task_catalog[key].task(key)

    def resampling(self, key: str) -> Resampling:
        """Which test examples of a task depend on each other; in generated text all languages say the same."""
        task = self.task_catalog[key]
        aligned = task.aligned if task.aligned is not None else self.source_of(key).kind == "generated"
        return Resampling(aligned=aligned, group=task.group)

    def tokenizer_of(self, model: str) -> str:
        """The name of a model's tokenizer."""
        spec = self.model_catalog[model]
        if spec.like is not None:
            return self.tokenizer_of(spec.like)
        if spec.tokenizer is None and spec.is_made_here:
            return self.tokenizer_of(spec.base) if spec.base else "shared"
        return spec.tokenizer or model

    def tokenizer_model(self, tokenizer: str) -> str | None:
        """The model whose own tokenizer this is, or None for one that is trained here."""
        declared = self.tokenizers.get(tokenizer)
        return declared.model if declared else tokenizer

    def source_of(self, key: str) -> AnySource:
        """The source of a task's examples; an xglue source without a path takes the study's `xglue`."""
        source = self.task_catalog[key].source or self.source
        if isinstance(source, Xglue) and source.path is None and self.xglue:
            return replace(source, path=self.xglue)
        return source

    def size(self, key: str, split: str) -> int | None:
        """The most examples of a split of a task; None: all."""
        own = getattr(self.task_catalog[key], split)
        return own if own is not None else getattr(self, split)

    def family_of(self, key: str) -> str | None:
        """The architecture of a model: its own, or that of its base; None if none of them states it."""
        model = self.model_catalog[key]
        while model.family is None and (before := model.like or model.base) is not None:
            model = self.model_catalog[before]
        return model.family

    def intervention_plan(self, key: str) -> InterventionPlan:
        """What a derived model takes from which of its two models."""
        model = self.model_catalog[key]
        # `checks` has made sure that it has an intervention.
        return InterventionPlan(cast(Intervention, model.intervention), model.alpha, model.matrices)

    def pretraining_plan(self, key: str) -> PretrainingPlan:
        """How a model that is trained here is pretrained."""
        model = self.model_catalog[key]
        common = {field.name: getattr(self.pretraining, field.name) for field in fields(PretrainingSettings)}
        matched = self.model_catalog[model.match] if model.match else model
        if model.match and matched.objective in PARALLEL:
            common["sentences"] = PARALLEL[matched.objective]
        common["seed"] += SEEDS_APART * (split_replicate(key)[1] - 1)
        return PretrainingPlan(
            **common,
            # `checks` has made sure that a trained model has these three.
            family=cast(str, self.family_of(key)),
            objective=cast(Objective, model.objective),
            directions=model.directions,
            steps=cast(int, matched.steps),
            source_language=self.source_language,
        )
