"""Which runs a study has. Every list of models, tasks, seeds, corpora and files in the rules comes from here."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

from mtbridge.base.checkout import from_here
from mtbridge.data.bitext import corpus_name
from mtbridge.data.corpora import languages_of
from mtbridge.specs.adaptation import Adaptation
from mtbridge.specs.names import replicate_name, split_replicate
from mtbridge.specs.protocol import ALIGNED
from mtbridge.study.languages import bitext_languages, study_languages
from mtbridge.study.layers import data_lock_files, lock_files
from mtbridge.study.outline import BASELINES, FLOOR, NO_RECIPE
from mtbridge.study.replicates import with_replicates
from mtbridge.study.settings import Origin, Settings
from mtbridge.study.writing import is_adapted, trained_as, ways, writing_models

TRANSLATION = "translation"  # the corpus of the user's test set


class Study:
    """The runs and files of a study.

    A model that is pretrained several times is several models in `models`, in the catalog of `settings`, and in all
    that follows from them. `settings.models` has its name once: that of its first pretraining.
    """

    def __init__(self, settings: Settings):
        self.settings = settings = with_replicates(settings)
        self.name = settings.folder
        self.results = f"results/{settings.folder}"
        self.languages = study_languages(settings)
        self.recipes = list(settings.recipes)
        self.tasks, self.seeds = settings.understanding_tasks, list(settings.seeds)
        self.models = [name for model in settings.models for name in self.replicates(model)]
        self.protocols = list(settings.protocols)

    def replicates(self, model: str) -> list[str]:
        """The names of all pretrainings of a model of `settings.models`, the model's own first."""
        return [replicate_name(model, number) for number in range(1, self.settings.replicates_of(model) + 1)]

    # ---- Runs, and files of runs ----

    @cached_property
    def runs(self) -> list[dict]:
        """Every fine-tuning run: recipe, model, task, seed."""
        return [
            dict(zip(("recipe", "model", "task", "seed"), run, strict=True))
            for run in itertools.product(self.recipes, self.models, self.tasks, self.seeds)
        ]

    @cached_property
    def runs_with_scores(self) -> list[dict]:
        """Every run that has scores: the fine-tunings, and the floor of each task."""
        floors = [{"recipe": NO_RECIPE, "model": FLOOR, "task": task, "seed": 0} for task in self.tasks]
        return [*self.runs, *floors]

    @cached_property
    def ways(self) -> dict[str, tuple[str, Adaptation]]:
        """Every way of adapting a model to a task of generation, see `writing.ways`."""
        return ways(self.settings)

    @cached_property
    def writing_runs(self) -> list[dict]:
        """Every adaptation of a model to a task of generation: recipe (the way of adapting), model, task, seed."""
        pairs = itertools.product(self.ways, writing_models(self.settings), self.settings.generation_tasks)
        return [
            {"recipe": recipe, "model": name, "task": task, "seed": seed}
            for recipe, model, task in pairs
            if is_adapted(self.settings, self.ways[recipe][0], model, task)
            for name in self.replicates(model)
            for seed in self.seeds
        ]

    def trained_as(self, recipe: str, model: str, task: str) -> str:
        """The way with its rate whose training a run of a way shares, see `writing.trained_as`."""
        return trained_as(self.ways, recipe, split_replicate(model)[0], task, self.settings)

    @cached_property
    def adaptations(self) -> list[dict]:
        """The trainings of `writing_runs`, each once."""
        runs = [
            {**run, "recipe": self.trained_as(run["recipe"], run["model"], run["task"])} for run in self.writing_runs
        ]
        return list({tuple(run.values()): run for run in runs}.values())

    @cached_property
    def writing_runs_with_baselines(self) -> list[dict]:
        """The adaptations, and what no model is needed for."""
        pairs = itertools.product(BASELINES, self.settings.generation_tasks) if self.writing_runs else ()
        baselines = [{"recipe": NO_RECIPE, "model": name, "task": task, "seed": 0} for name, task in pairs]
        return [*self.writing_runs, *baselines]

    def finished(self, pattern: str, rows: list[dict]) -> list[dict]:
        """The rows that tables and figures are built from: all, or with `partial` those whose file exists."""
        if not self.settings.partial:
            return rows
        return [row for row in rows if Path(self.results, pattern.format(**row)).exists()]

    def paths(self, pattern: str, rows: list[dict]) -> list[str]:
        """The files, one per row, that tables and figures are built from. pattern: a path below the study's results."""
        return [f"{self.results}/{pattern.format(**row)}" for row in self.finished(pattern, rows)]

    def states(self, corpus: str, number: int = 1) -> list[str]:
        """The hidden states that are compared on a corpus: those of every model's pretraining of this number."""
        return self.paths(f"states/{corpus}/{{model}}.safetensors", self.each_replicate(number))

    def models_with_states(self, corpus: str, number: int = 1) -> list[str]:
        """The models of `states`, in the same order."""
        rows = self.finished(f"states/{corpus}/{{model}}.safetensors", self.each_replicate(number))
        return [row["model"] for row in rows]

    def separability(self, corpus: str) -> list[str]:
        """How far languages lie apart on a corpus, in all pretrainings of all models and in fine-tuned runs."""
        run = "{recipe}/{model}/{task}/seed{seed}"
        models = self.finished(f"states/{corpus}/{{model}}.safetensors", self.each_model)
        runs = self.finished(f"runs/{run}/model.safetensors", self.runs_with_separability)
        folder = f"{self.results}/separability/{corpus}"
        return [f"{folder}/{row['model']}.parquet" for row in models] + [
            f"{folder}/after/{run.format(**row)}.parquet" for row in runs
        ]

    def retrieval(self) -> list[str]:
        """How well translations find each other, by all pretrainings of all models."""
        states = [f"states/{corpus}/{{model}}.safetensors" for corpus in self.corpora_of_retrieval]
        models = [row for row in self.each_model if all(self.finished(pattern, [row]) for pattern in states)]
        return [f"{self.results}/retrieval/{row['model']}.parquet" for row in models if states]

    @cached_property
    def each_model(self) -> list[dict]:
        """The models that are run, with all their pretrainings."""
        return [{"model": model} for model in self.models]

    def each_replicate(self, number: int) -> list[dict]:
        """The pretraining of this number of every model that has so many; derived models have none of their own."""
        catalog = self.settings.model_catalog
        models = [
            model
            for model in self.settings.models
            if self.settings.replicates_of(model) >= number and catalog[model].source != "derived"
        ]
        return [{"model": replicate_name(model, number)} for model in models]

    @cached_property
    def most_replicates(self) -> int:
        """How many pretrainings the model with the most of them has."""
        return max(map(self.settings.replicates_of, self.settings.models))

    @cached_property
    def each_with_spectra(self) -> list[dict]:
        """The models whose weights are compared, their first pretraining: bases, and the models that continue them."""
        models = self.settings.models
        bases = {self.settings.model_catalog[model].base for model in models} & set(models)
        return [
            {"model": model} for model in models if model in bases or self.settings.model_catalog[model].base in bases
        ]

    @cached_property
    def each_continued(self) -> list[dict]:
        """The models that continue another one of the study, their first pretraining."""
        models = self.settings.models
        return [{"model": model} for model in models if self.settings.model_catalog[model].base in models]

    @cached_property
    def runs_with_separability(self) -> list[dict]:
        """The fine-tuning runs whose hidden states are looked at too."""
        return [run for run in self.runs if run["task"] in self.settings.separability_after]

    @cached_property
    def each_task(self) -> list[dict]:
        """The tasks that are run and predict labels."""
        return [{"task": task} for task in self.tasks]

    @cached_property
    def each_trained(self) -> list[dict]:
        """The models that are pretrained here, with all their pretrainings."""
        return [{"model": model} for model in self.models if self.settings.model_catalog[model].source == "trained"]

    @cached_property
    def each_translating(self) -> list[dict]:
        """The models that translate, with all their pretrainings."""
        return [{"model": model} for model in self.models if self.settings.directions_of(model) is not None]

    @cached_property
    def translation_test(self) -> str:
        """The corpus that models translate: the user's test set, or the study's held-out lines."""
        return TRANSLATION if self.settings.translation.test is not None else "heldout"

    def view(self, protocol: str) -> str:
        """The folder of a protocol's tables and figures: none for the study's first protocol, its name for another."""
        return "" if protocol == self.protocols[0] else f"{protocol}/"

    def protocol(self, view: str) -> str:
        """The protocol that a folder of tables and figures shows."""
        return view.rstrip("/") or self.protocols[0]

    @cached_property
    def protocol_of_states(self) -> str:
        """The protocol by which hidden states are set beside scores: the first one whose text is aligned, if any."""
        aligned = [name for name in self.protocols if self.corpus_of(self.view(name)) == ALIGNED]
        return [*aligned, *self.protocols][0]

    def corpus_of(self, view: str) -> str:
        """The corpus that a protocol compares hidden states on."""
        return self.settings.protocol_catalog[self.protocol(view)].corpus_name(self.tasks)

    @cached_property
    def corpora_of_examples(self) -> dict[str, tuple[str, Sequence[str], int]]:
        """The corpora that are made of a task's test examples: corpus -> task, columns, lines."""
        corpora: dict[str, tuple[str, Sequence[str], int]] = {}
        for protocol in self.settings.protocol_catalog.values():
            corpus = protocol.corpus
            if corpus is not None and corpus.task in self.tasks:
                columns = self.settings.task_catalog[corpus.task].columns
                lines = min(corpus.lines, self.settings.size(corpus.task, "test") or corpus.lines)
                corpora[corpus.task] = (corpus.task, columns, lines)
        if (source := self.settings.corpora.parallel_from) is not None:
            corpora[ALIGNED] = (source.task, source.columns, self.settings.corpora.parallel)
        return corpora

    @cached_property
    def corpora_of_text(self) -> list[str]:
        """The corpora that are generated, or taken from the user's own text."""
        names = ("pretraining", "heldout", ALIGNED, *([TRANSLATION] if self.translation_test == TRANSLATION else []))
        return [name for name in names if name not in self.corpora_of_examples]

    @cached_property
    def bitexts(self) -> dict[str, str]:
        """The corpora of pairs with the source language: corpus -> the other language."""
        return {corpus_name(language): language for language in bitext_languages(self.settings)}

    @cached_property
    def corpora_of_retrieval(self) -> list[str]:
        """The corpora in which translations are looked for: pairs; else aligned lines, if their states are there."""
        return list(self.bitexts) or [corpus for corpus in self.corpora if corpus == ALIGNED]

    def models_from(self, source: str) -> list[str]:
        """The models of the catalog that are `trained` here, `local`, from the `hub`, `derived` or `untrained`."""
        return [key for key, model in self.settings.model_catalog.items() if model.source == source]

    @cached_property
    def models_with_checkpoints(self) -> list[str]:
        """The models of the catalog that are taken from a checkpoint, one of ours or another's."""
        made = ("derived", "untrained")
        return [key for key, model in self.settings.model_catalog.items() if model.source not in made]

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
        """Every language that a published tokenizer must know: the study's, and those of all tasks in the catalog.

        Tasks that are not run count too. A tokenizer is an input of every training, so otherwise running one more task
        would repeat the trainings.
        """
        of_tasks = (task.languages or () for task in self.settings.task_catalog.values())
        of_pairs = self.settings.retrieval.languages or ()
        return sorted({*self.languages, *of_pairs, *itertools.chain.from_iterable(of_tasks)})

    @cached_property
    def locks(self) -> dict[str, str]:
        """The lock file of every model for which a preset names a repository."""
        return lock_files(self.settings.study)

    @cached_property
    def data_locks(self) -> dict[str, str]:
        """The lock file of every task for which a preset names a source."""
        return data_lock_files(self.settings.study)

    @cached_property
    def corpora(self) -> list[str]:
        """The corpora on which hidden states are computed."""
        return sorted({self.corpus_of(self.view(protocol)) for protocol in self.protocols})

    def languages_of(self, corpus: str) -> list[str]:
        """The languages of a corpus: all; of pairs two; of texts to learn from or translate those that models see."""
        if corpus in self.bitexts:
            return [self.settings.source_language, self.bitexts[corpus]]
        shares = self.settings.corpora.shares if corpus in ("pretraining", "heldout", TRANSLATION) else {}
        seen = [language for language in self.languages if shares.get(language, 1) > 0]
        if corpus == TRANSLATION:
            there = languages_of(self.settings.translation.test, self.settings.translation.stem)
            return [language for language in seen if language in there]
        return seen

    def label(self, model: str) -> str:
        """A model's label. For a model that is trained here it includes the size of the encoder, in millions of
        parameters, so that no reader mistakes it for the published model."""
        spec = self.settings.model_catalog[model]
        if self.settings.origin(model) != "trained":
            return spec.label
        sizes = self.settings.architecture
        vocabulary = self.settings.tokenizers[self.settings.tokenizer_of(model)].vocabulary
        width, inner = sizes.hidden_size, sizes.feedforward
        # Matrices: q, k, v, out, fc1, fc2. Vectors: their six biases, and two layer norms of two vectors each.
        layer = 4 * width * width + 2 * width * inner + 9 * width + inner
        return f"{spec.label}, {(vocabulary * width + sizes.layers * layer) / 1e6:.1f} M"

    def reference(self, name: str) -> list[str]:
        """The file of published values that are shown beside ours."""
        return [from_here(f"workflow/reference/{name}.csv")] if self.settings.published else []

    @cached_property
    def origins(self) -> list[Origin]:
        """Where the weights of the study's models come from; recipes may differ between origins."""
        return sorted({self.settings.origin(model) for model in self.models}, reverse=True)

    @cached_property
    def chooses_rates(self) -> bool:
        """Whether some recipes differ from others in the learning rate alone."""
        for origin, task in itertools.product(self.origins, self.tasks):
            rates: dict[tuple, set[float]] = {}  # all other settings -> learning rates
            for recipe in self.recipes:
                values = asdict(self.settings.recipe(recipe, origin, task))
                rate = values.pop("learning_rate")
                rates.setdefault(tuple(sorted(values.items())), set()).add(rate)
            if any(len(choices) > 1 for choices in rates.values()):
                return True
        return False
