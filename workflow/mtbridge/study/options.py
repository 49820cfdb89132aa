"""What each program is told on its command line, of a study: nothing that its result does not depend on."""

import json
from dataclasses import asdict

from mtbridge.data import readers
from mtbridge.specs.options import to_options
from mtbridge.study.grid import Study
from mtbridge.study.languages import task_languages
from mtbridge.study.layers import lock_file

# The splits that each part of a task's examples holds. Training knows the source language alone.
PARTS = {"train": ("train", "dev"), "evaluation": ("dev", "test")}


class Options:
    """The options of the programs that make a study."""

    def __init__(self, study: Study):
        self.study, self.settings = study, study.settings

    # ---- tasks and their examples ----

    def task(self, task: str) -> list[str]:
        """What a task is, without its languages: they must not be part of a training's identity."""
        return to_options(self.settings.task(task))

    def examples(self, task: str, part: str) -> list[str]:
        """Where a part of a task's examples comes from, and how many there are."""
        source = json.dumps(self.settings.source_of(task), sort_keys=True)
        options = ["--source", source, "--seed", str(self.settings.data_seed)]
        options += ["--source-language", self.settings.source_language]
        for split in PARTS[part]:
            size = self.settings.size(task, split)
            options += [f"--{split}", str(size)] if size is not None else []
        if part == "evaluation":
            options += ["--languages", *task_languages(self.settings, task)]
        return options

    def example_files(self, task: str, part: str) -> list[str]:
        """The user's own files that a part is read from; none where it is generated or comes from the Hub."""
        languages = [self.settings.source_language]
        if part == "evaluation":
            languages = task_languages(self.settings, task)
        splits = {split: languages for split in PARTS[part]}
        return readers.files(self.settings.source_of(task), task, splits)

    def unused_readers(self, task: str) -> frozenset[str]:
        """The modules that read other kinds of source than the task's."""
        return readers.modules_of_other_kinds(self.settings.source_of(task)["kind"])

    # ---- corpora ----

    def corpus(self, corpus: str) -> list[str]:
        """Where a corpus comes from, and how long it is."""
        settings, languages = self.settings, self.study.languages
        if corpus in self.study.corpora_of_examples:
            _, columns, lines = self.study.corpora_of_examples[corpus]
            return ["--lines", str(lines), "--columns", *columns, "--languages", *languages]
        options = ["--lines", str(getattr(settings.corpora, corpus)), "--languages", *languages]
        if settings.corpus is None:
            return [*options, "--seed", str(settings.data_seed)]
        return [*options, "--folder", settings.corpus, "--stems", *settings.corpora.stems[corpus]]

    def corpus_files(self, corpus: str) -> list[str]:
        """The user's own files that a corpus is read from."""
        settings = self.settings
        if settings.corpus is None:
            return []
        stems = settings.corpora.stems[corpus]
        return [f"{settings.corpus}/{stem}.{language}" for stem in stems for language in self.study.languages]

    # ---- models ----

    def fetch(self, model: str) -> list[str]:
        """Which revision of which repository a model is."""
        spec = self.settings.model_catalog[model]
        lock = self.study.locks.get(model, lock_file(self.settings.study))
        return ["--repo", spec.repo, "--revision", spec.revision, "--family", spec.family, "--lock", lock]

    def import_tokenizer(self, tokenizer: str) -> list[str]:
        """Whose tokenizer it is, and the languages that it is asked for."""
        family = self.settings.model_catalog[self.study.own_tokenizers[tokenizer]].family
        return [*(("--family", family) if family else ()), "--languages", *self.study.all_languages]

    def pretrain(self, model: str) -> list[str]:
        """What a model learns here, and how large it is."""
        return [*to_options(self.settings.pretraining_plan(model)), *to_options(self.settings.architecture)]

    def encoder(self, model: str) -> list[str]:
        """What is known of a model beyond its files."""
        spec = self.settings.model_catalog[model]
        source = {"local": spec.path, "hub": spec.repo}.get(spec.source, "trained in this study")
        options = ["--model", model, "--kind", spec.kind, "--source", source]
        return [*options, *(("--base", spec.base) if spec.base else ())]

    def recipe(self, recipe: str, task: str) -> list[str]:
        """How a task is fine-tuned."""
        return to_options(self.settings.recipes[recipe].for_task(task))

    def needs_evaluation(self, recipe: str, task: str) -> bool:
        """Does the choice of the epoch look at other languages?"""
        return self.settings.recipes[recipe].for_task(task).selection == "mean_dev"

    # ---- views ----

    def outline(self) -> str:
        """What tables, figures and the report must know of the study, as JSON; see `study.outline`."""
        settings = self.settings
        models = []
        for key in self.study.models:
            spec = settings.model_catalog[key]
            trained = spec.source == "trained"
            about = {
                "objective": spec.objective if trained else None,
                "directions": spec.directions if trained else None,
            }
            about |= {"seen": spec.seen, "label": self.study.label(key)}
            models.append({"key": key, "kind": spec.kind, "base": spec.base, **about})
        tasks = [
            {
                "name": task,
                "metric": settings.task_catalog[task].metric,
                "languages": task_languages(settings, task),
                "source": settings.source_of(task)["kind"],
                "label": settings.task_catalog[task].label,
            }
            for task in self.study.tasks
        ]
        value = {
            "name": self.study.name,
            "description": settings.description,
            "models": models,
            "tasks": tasks,
            "recipes": {name: asdict(recipe) for name, recipe in settings.recipes.items()},
            "seeds": self.study.seeds,
            "protocols": {name: asdict(settings.protocol_catalog[name]) for name in self.study.protocols},
            "languages": self.study.languages,
            "source_language": settings.source_language,
        }
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
