"""Which runs a study has, and what each rule must be told about them. Every list in the Snakefile comes from here."""

import itertools
import json
from functools import cached_property
from pathlib import Path

from mtbridge.data import readers
from mtbridge.study import settings as config

# The pseudo-model that always says the most frequent class, and the recipe under which it is filed.
MAJORITY, NO_RECIPE = "majority", "none"


class Study:
    """A study's runs, and the options of the programs that make them."""

    def __init__(self, settings: config.Settings):
        self.settings = settings
        self.name = settings.folder
        self.results = f"results/{settings.folder}"
        self.languages = config.study_languages(settings)
        self.recipes = list(settings.recipes)
        self.models, self.tasks, self.seeds = list(settings.models), list(settings.tasks), list(settings.seeds)
        self.protocols = list(settings.protocols)

    # ---- What there is ----

    @cached_property
    def runs(self) -> list[dict]:
        """Every fine-tuning run: recipe, model, task, seed."""
        return [
            dict(zip(("recipe", "model", "task", "seed"), run, strict=True))
            for run in itertools.product(self.recipes, self.models, self.tasks, self.seeds)
        ]

    @cached_property
    def scored(self) -> list[dict]:
        """Every run that has scores: the fine-tunings, and the majority baseline of each task."""
        majority = [{"recipe": NO_RECIPE, "model": MAJORITY, "task": task, "seed": 0} for task in self.tasks]
        return [*self.runs, *majority]

    def finished(self, pattern: str, rows: list[dict]) -> list[dict]:
        """The rows that tables and figures are built from: all, or with `partial` those whose file is there."""
        if not self.settings.partial:
            return rows
        return [row for row in rows if Path(self.results, pattern.format(**row)).exists()]

    def paths(self, pattern: str, rows: list[dict]) -> list[str]:
        """The files of the rows that tables and figures are built from, under the study's results."""
        return [f"{self.results}/{pattern.format(**row)}" for row in self.finished(pattern, rows)]

    def states(self, corpus: str) -> list[str]:
        """The hidden states that are compared on a corpus."""
        return self.paths(f"states/{corpus}/{{model}}.safetensors", self.each_model)

    def compared(self, corpus: str) -> list[str]:
        """The models of `states`, in the same order."""
        return [row["model"] for row in self.finished(f"states/{corpus}/{{model}}.safetensors", self.each_model)]

    @cached_property
    def each_model(self) -> list[dict]:
        return [{"model": model} for model in self.models]

    @cached_property
    def each_with_spectra(self) -> list[dict]:
        """The models whose weights are compared: bases, and those continued from them."""
        bases = {self.settings.model_catalog[model].base for model in self.models} & set(self.models)
        compared = [m for m in self.models if m in bases or self.settings.model_catalog[m].base in bases]
        return [{"model": model} for model in compared]

    @cached_property
    def each_task(self) -> list[dict]:
        return [{"task": task} for task in self.tasks]

    @cached_property
    def each_trained(self) -> list[dict]:
        """The models that are pretrained here."""
        return [{"model": model} for model in self.models if self.settings.model_catalog[model].source == "trained"]

    @cached_property
    def each_translating(self) -> list[dict]:
        """The models that have learnt to translate."""
        return [{"model": model} for model in self.models if self.settings.model_catalog[model].directions]

    def view(self, protocol: str) -> str:
        """Folder of a protocol's tables and figures: none for the study's own, its name for another."""
        return "" if protocol == self.protocols[0] else f"{protocol}/"

    def protocol(self, view: str) -> str:
        return view.rstrip("/") or self.protocols[0]

    def corpus_of(self, view: str) -> str:
        """The corpus that a protocol compares hidden states on."""
        return "nc" if self.protocol(view) == "paper" and "nc" in self.tasks else "parallel"

    @cached_property
    def corpora_of_examples(self) -> dict[str, tuple[str, list[str], int]]:
        """The corpora that are made of a task's test examples: corpus -> task, columns, lines."""
        found = {}
        if "nc" in self.tasks:
            # As published: 80 news articles a language, which are not translations of each other.
            found["nc"] = (
                "nc",
                self.settings.task_catalog["nc"].columns,
                min(80, self.settings.size("nc", "test") or 80),
            )
        if (source := self.settings.corpora.parallel_from) is not None:
            found["parallel"] = (source.task, source.columns, self.settings.corpora.parallel)
        return found

    @cached_property
    def corpora_of_text(self) -> list[str]:
        """The corpora that are generated, or the user's own text."""
        return [c for c in ("pretraining", "heldout", "parallel") if c not in self.corpora_of_examples]

    def models_from(self, source: str) -> list[str]:
        """The models of the catalog that are `trained` here, `local` or from the `hub`."""
        return [key for key, model in self.settings.model_catalog.items() if model.source == source]

    @cached_property
    def own_tokenizers(self) -> dict[str, str]:
        """The tokenizers that come with a published or local model: tokenizer -> model."""
        names = {self.settings.tokenizer_of(model) for model in self.settings.model_catalog}
        owners = {name: self.settings.tokenizer_model(name) for name in sorted(names)}
        return {name: owner for name, owner in owners.items() if owner is not None}

    @cached_property
    def trained_tokenizers(self) -> list[str]:
        """The tokenizers that are trained on the study's corpus."""
        return [name for name, tokenizer in self.settings.tokenizers.items() if tokenizer.model is None]

    @cached_property
    def all_languages(self) -> list[str]:
        """Every language that a published tokenizer is asked for: the study's, and those that the catalog gives tasks.

        Of all tasks, run or not: a tokenizer is an input of every training, which running another task must not repeat.
        """
        named = (task.languages or () for task in self.settings.task_catalog.values())
        return sorted({*self.languages, *itertools.chain.from_iterable(named)})

    @cached_property
    def locks(self) -> dict[str, str]:
        """The lock file of every model that a preset gives a repository."""
        return config.lock_files(self.settings.study)

    @cached_property
    def corpora(self) -> list[str]:
        """The corpora that hidden states are taken on."""
        return sorted({self.corpus_of(self.view(protocol)) for protocol in self.protocols})

    def label(self, model: str) -> str:
        """How a model is called; one that is trained here with the size of its encoder, so that nobody takes it for
        the published one."""
        spec = self.settings.model_catalog[model]
        if spec.source != "trained":
            return spec.label
        sizes, vocabulary = (
            self.settings.architecture,
            self.settings.tokenizers[self.settings.tokenizer_of(model)].vocabulary,
        )
        width, inner = sizes.hidden_size, sizes.feedforward
        layer = 4 * width * width + 2 * width * inner + 9 * width + inner
        return f"{spec.label}, {(vocabulary * width + sizes.layers * layer) / 1e6:.1f} M"

    def reference(self, name: str) -> list[str]:
        """The published values that stand beside ours."""
        return [f"workflow/reference/{name}.csv"] if self.settings.published else []

    @cached_property
    def chooses_rates(self) -> bool:
        """Do some recipes differ from others in the learning rate alone?"""
        for task in self.tasks:
            rates: dict[str, set] = {}
            for recipe in self.settings.recipes.values():
                values = recipe.values(task)
                rate = values.pop("learning_rate")
                rates.setdefault(json.dumps(values, sort_keys=True), set()).add(rate)
            if any(len(found) > 1 for found in rates.values()):
                return True
        return False

    # ---- What a program must be told ----

    def task_flags(self, task: str) -> list[str]:
        """What a task is, without its languages: they must not be part of a training's identity."""
        spec = self.settings.task(task)
        return [
            *("--name", task, "--kind", spec.kind, "--metric", spec.metric),
            *("--labels", *spec.labels, "--columns", *spec.columns),
            *(("--segments", json.dumps(spec.segments)) if spec.segments else ()),
        ]

    def train_flags(self, task: str) -> list[str]:
        return [*self.source_flags(task), *self.size_flags(task, "train", "dev")]

    def evaluation_flags(self, task: str) -> list[str]:
        languages = config.task_languages(self.settings, task)
        return [*self.source_flags(task), *self.size_flags(task, "dev", "test"), "--languages", *languages]

    def source_files(self, task: str, part: str) -> list[str]:
        """The user's own files that a part is read from; none where it is generated or comes from the Hub."""
        languages = config.task_languages(self.settings, task)
        splits = {"train": ["en"], "dev": ["en"]} if part == "train" else {"dev": languages, "test": languages}
        return readers.files(self.settings.source_of(task), task, splits)

    def corpus_files(self, corpus: str) -> list[str]:
        """The user's own files that a corpus is read from."""
        settings = self.settings
        if settings.corpus is None:
            return []
        stems = settings.corpora.stems[corpus]
        return [str(Path(settings.corpus, f"{stem}.{language}")) for stem in stems for language in self.languages]

    def unused_readers(self, task: str) -> frozenset[str]:
        """The modules that read other kinds of source than the task's."""
        used = readers.MODULES[self.settings.source_of(task)["kind"]]
        return frozenset(module for modules in readers.MODULES.values() for module in modules if module not in used)

    def source_flags(self, task: str) -> list[str]:
        source = json.dumps(self.settings.source_of(task), sort_keys=True)
        return ["--source", source, "--seed", str(self.settings.data_seed)]

    def size_flags(self, task: str, *splits: str) -> list[str]:
        sizes = {split: self.settings.size(task, split) for split in splits}
        return [part for split, size in sizes.items() if size is not None for part in (f"--{split}", str(size))]

    def corpus_flags(self, corpus: str) -> list[str]:
        settings = self.settings
        if corpus in self.corpora_of_examples:
            _, columns, lines = self.corpora_of_examples[corpus]
            return ["--lines", str(lines), "--columns", *columns, "--languages", *self.languages]
        flags = ["--lines", str(getattr(settings.corpora, corpus)), "--languages", *self.languages]
        if settings.corpus is None:
            return [*flags, "--seed", str(settings.data_seed)]
        return [*flags, "--folder", settings.corpus, "--stems", *settings.corpora.stems[corpus]]

    def fetch_flags(self, model: str) -> list[str]:
        spec = self.settings.model_catalog[model]
        lock = self.locks.get(model, config.lock_file(self.settings.study))
        return ["--repo", spec.repo, "--revision", spec.revision, "--family", spec.family, "--lock", lock]

    def import_flags(self, tokenizer: str) -> list[str]:
        family = self.settings.model_catalog[self.own_tokenizers[tokenizer]].family
        return [*(("--family", family) if family else ()), "--languages", *self.all_languages]

    def pretrain_flags(self, model: str) -> list[str]:
        plan, common = self.settings.plan(model), self.settings.pretraining
        flags = {
            "family": plan["family"],
            "objective": plan["objective"],
            "directions": plan["directions"],
            "steps": plan["steps"],
            "tokens-per-step": common.tokens_per_step,
            "learning-rate": common.learning_rate,
            "warmup": common.warmup,
            "mask-share": {"masked_lm": common.mask_share, "denoising": common.noise_share}.get(plan["objective"]),
            "sentences": common.sentences,
            "seed": common.seed,
            **{key.replace("_", "-"): value for key, value in self.settings.architecture.model_dump().items()},
        }
        return [part for key, value in flags.items() if value is not None for part in (f"--{key}", str(value))]

    def encoder_flags(self, model: str) -> list[str]:
        spec = self.settings.model_catalog[model]
        source = {"local": spec.path, "hub": spec.repo}.get(spec.source, "trained in this study")
        flags = ["--model", model, "--kind", spec.kind, "--source", source]
        return [*flags, *(("--base", spec.base) if spec.base else ())]

    def recipe_flags(self, recipe: str, task: str) -> list[str]:
        values = self.settings.recipes[recipe].values(task)
        return [part for key, value in values.items() for part in (f"--{key.replace('_', '-')}", str(value))]

    def needs_evaluation(self, recipe: str, task: str) -> bool:
        """Does the choice of the epoch look at other languages?"""
        return self.settings.recipes[recipe].values(task)["selection"] == "mean_dev"

    def outline(self) -> str:
        """What tables, figures and the report must know of the study, as JSON; see `layout`."""
        settings = self.settings
        models = []
        for key in self.models:
            spec = settings.model_catalog[key]
            plan = settings.plan(key) if spec.source == "trained" else {}
            about = {key: plan.get(key) for key in ("objective", "directions")} | {"seen": spec.seen}
            models.append({"key": key, "label": self.label(key), "kind": spec.kind, "base": spec.base, **about})
        tasks = [
            {
                "name": task,
                "metric": settings.task_catalog[task].metric,
                "languages": config.task_languages(settings, task),
                "source": settings.source_of(task)["kind"],
            }
            for task in self.tasks
        ]
        value = {
            "name": self.name,
            "description": settings.description,
            "models": models,
            "tasks": tasks,
            "recipes": {name: recipe.model_dump() for name, recipe in settings.recipes.items()},
            "seeds": self.seeds,
            "protocols": self.protocols,
            "languages": self.languages,
        }
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
