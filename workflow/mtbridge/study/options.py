"""The command-line options of each program, from a study's settings.

A program gets no setting that its result does not depend on, so a change of such a setting repeats no job.
"""

import json
import os
from dataclasses import asdict
from typing import cast

from mtbridge.base.content import content_digest
from mtbridge.data import bitext, corpora, readers
from mtbridge.specs.adaptation import Decoding
from mtbridge.specs.options import to_options
from mtbridge.specs.protocol import ALIGNED
from mtbridge.specs.source import to_json
from mtbridge.study.grid import TRANSLATION, Study
from mtbridge.study.languages import parts_of, task_languages
from mtbridge.study.layers import lock_file, pairs_lock_file
from mtbridge.study.local_checkpoints import recipe_of
from mtbridge.study.outline import RETRIEVAL_DEPTH
from mtbridge.study.seen_data import tasks_seen

# The splits that each part of a task's examples holds. Training knows the source language alone.
PARTS = {"train": ("train", "dev"), "evaluation": ("dev", "test")}


class Options:
    """The options of the programs that produce a study's results."""

    def __init__(self, study: Study):
        self.study, self.settings = study, study.settings

    # ---- tasks and their examples ----

    def task(self, task: str) -> list[str]:
        """What a task is. Its languages are left out, because a new language must not repeat the trainings."""
        return to_options(self.settings.task(task))

    def scoring(self, task: str) -> list[str]:
        """What a task is, and which of its test examples depend on each other."""
        return [*self.task(task), *to_options(self.settings.resampling(task))]

    def examples(self, task: str, part: str, language: str | None = None) -> list[str]:
        """The source of a part of a task's examples, and how many are taken.

        language: of the training part; default: the source language.
        """
        options = ["--source", to_json(self.settings.source_of(task)), "--seed", str(self.settings.data_seed)]
        options += ["--source-language", language or self.settings.source_language]
        for split in PARTS[part]:
            size = self.settings.size(task, split)
            options += [f"--{split}", str(size)] if size is not None else []
        if part == "evaluation":
            options += ["--languages", *task_languages(self.settings, task)]
            with_dev = self.settings.task_catalog[task].dev_languages
            options += ["--dev-languages", *with_dev] if with_dev else []
        if readers.may_be_on_hub(self.settings.source_of(task)):
            options += ["--lock", self.study.data_locks.get(task, lock_file(self.settings.study))]
        return options

    def example_files(self, task: str, part: str, language: str | None = None) -> list[str]:
        """The user's files that a part is read from; none if it is generated or comes from the Hub."""
        languages = [language or self.settings.source_language]
        if part == "evaluation":
            languages = task_languages(self.settings, task)
        parts = parts_of(self.settings, task, PARTS[part], languages)
        return [str(path) for path in readers.files(self.settings.source_of(task), task, parts)]

    def example_content(self, task: str, part: str, language: str | None = None) -> str:
        """A digest of these files: other content is other examples, whatever the files' dates."""
        return content_digest(self.example_files(task, part, language))

    def unused_readers(self, task: str) -> frozenset[str]:
        """The modules that read other kinds of source than the task's."""
        return readers.modules_of_other_kinds(self.settings.source_of(task).kind)

    # ---- corpora ----

    def corpus(self, corpus: str) -> list[str]:
        """The source of a corpus, and its number of lines."""
        settings, languages = self.settings, self.study.languages
        if corpus in self.study.corpora_of_examples:
            _, columns, lines = self.study.corpora_of_examples[corpus]
            aligned = ["--aligned"] if corpus == ALIGNED else []
            return ["--lines", str(lines), "--columns", *columns, "--languages", *languages, *aligned]
        if corpus == TRANSLATION:
            return self._translation_test()
        options = ["--lines", str(getattr(settings.corpora, corpus)), "--languages", *languages]
        options += ["--seed", str(settings.data_seed)]
        if corpus == "pretraining" and settings.corpora.shares:
            options += ["--shares", json.dumps(settings.corpora.shares, sort_keys=True)]
        if settings.corpus is None:
            return options
        return [*options, "--folder", settings.corpus, "--stems", *self._stems(corpus)]

    def corpus_files(self, corpus: str) -> list[str]:
        """The user's files that a corpus is read from; none if it is generated."""
        settings = self.settings
        if corpus == TRANSLATION:
            test, stem = settings.translation.test, settings.translation.stem
            return [str(path) for path in corpora.files(test, [stem], self.study.languages_of(corpus))]
        if settings.corpus is None:
            return []
        return [str(path) for path in corpora.files(settings.corpus, self._stems(corpus), self.study.languages)]

    def corpus_content(self, corpus: str) -> str:
        """A digest of these files."""
        return content_digest(self.corpus_files(corpus))

    def bitext(self, corpus: str) -> list[str]:
        """The source of a language's pairs with the source language, and how many are taken."""
        given, settings = self.settings.retrieval, self.settings
        options = ["--language", self.study.bitexts[corpus], "--source-language", settings.source_language]
        options += ["--lines", str(given.lines), "--seed", str(settings.data_seed)]
        if given.folder is not None:
            return [*options, "--folder", given.folder, "--stem", given.stem]
        assert given.source is not None
        options += ["--source", to_json(given.source)]
        return [*options, "--lock", pairs_lock_file(settings.study)] if readers.may_be_on_hub(given.source) else options

    def bitext_files(self, corpus: str) -> list[str]:
        """The user's files that these pairs are read from; none on the Hub."""
        given, language = self.settings.retrieval, self.study.bitexts[corpus]
        if given.source is not None:
            return [str(path) for path in readers.files(given.source, bitext.NAME, [(bitext.SPLIT, language)])]
        found = bitext.find_files(given.folder or "", given.stem, language, self.settings.source_language)
        return [str(path) for path in found or ()]

    def bitext_content(self, corpus: str) -> str:
        """A digest of these files."""
        return content_digest(self.bitext_files(corpus))

    def _translation_test(self) -> list[str]:
        """The user's test set of translation, and how many of its lines are taken."""
        given = self.settings.translation
        assert given.test is not None
        lines = ["--lines", str(given.lines)] if given.lines is not None else []
        options = [*lines, "--languages", *self.study.languages_of(TRANSLATION), "--seed", str(self.settings.data_seed)]
        return [*options, "--folder", given.test, "--stems", given.stem]

    def _stems(self, corpus: str) -> list[str]:
        """The names of the files, without their language, that a corpus of text is made of."""
        return cast(dict[str, list[str]], self.settings.corpora.stems)[corpus]

    # ---- models ----

    def checkpoint_content(self, model: str | None) -> str:
        """A digest of every file of the user's own checkpoint; "" for a model that is trained here or fetched."""
        spec = self.settings.model_catalog[model] if model else None
        if spec and spec.like:
            return self.checkpoint_content(spec.like)
        place = {"local": spec.path, "hub": spec.repo}.get(spec.source) if spec else None
        return content_digest([place]) if place and os.path.isdir(place) else ""

    def fetch(self, model: str) -> list[str]:
        """The repository, revision and family of a model from the Hub, and its lock file."""
        spec = self.settings.model_catalog[model]
        assert spec.repo is not None, model  # `checks` has made sure of it
        lock = self.study.locks.get(model, lock_file(self.settings.study))
        family = ["--family", spec.family] if spec.family else []
        return ["--repo", spec.repo, "--revision", spec.revision, *family, "--lock", lock]

    def import_tokenizer(self, tokenizer: str) -> list[str]:
        """The family whose tokenizer it is, the languages that it must know, and what stands before its texts."""
        spec = self.settings.model_catalog[self.study.own_tokenizers[tokenizer]]
        family = ["--family", spec.family] if spec.family else []
        prefixes = ["--prefixes", *spec.prefixes] if spec.prefixes else []
        return [*family, "--languages", *self.study.all_languages, *prefixes]

    def tokenizer(self) -> list[str]:
        """The languages whose text a tokenizer is trained on, and those that get a tag, if these are more."""
        read = self.study.languages_of("pretraining")
        more = ["--tags", *self.study.languages] if read != self.study.languages else []
        return ["--languages", *read, *more]

    def vocabulary(self, tokenizer: str) -> list[str]:
        """The number of entries of a tokenizer that is trained here, and of the sentinels among them, if any."""
        spec = self.settings.tokenizers[tokenizer]
        more = ["--sentinels", str(spec.sentinels)] if spec.sentinels else []
        return ["--vocabulary", str(spec.vocabulary), *more]

    def pretrain(self, model: str) -> list[str]:
        """The pretraining plan and the architecture of a model that is trained here."""
        return [*to_options(self.settings.pretraining_plan(model)), *to_options(self.settings.architecture)]

    def encoder(self, model: str) -> list[str]:
        """What the catalog says of a model: kind, source and base."""
        spec = self.settings.model_catalog[model]
        source = {"local": spec.path, "hub": spec.repo}.get(spec.source, "trained in this study")
        assert source is not None, model  # see `checks`
        options = ["--model", model, "--kind", spec.kind, "--source", source]
        return [*options, *(("--base", spec.base) if spec.base else ())]

    def untrained(self, model: str) -> list[str]:
        """Whose twin an untrained model is, and the seed of its weights."""
        spec = self.settings.model_catalog[model]
        assert spec.like is not None, model  # see `checks`
        options = ["--model", model, "--kind", spec.kind, "--like", spec.like]
        return [*options, "--seed", str(self.settings.data_seed)]

    def derive(self, model: str) -> list[str]:
        """What a derived model takes from which of its two models."""
        spec = self.settings.model_catalog[model]
        assert spec.base is not None and spec.other is not None, model  # see `checks`
        options = ["--model", model, "--kind", spec.kind, "--base", spec.base, "--other", spec.other]
        return [*options, *to_options(self.settings.intervention_plan(model))]

    def recipe(self, recipe: str, model: str, task: str) -> list[str]:
        """The recipe by which a model is fine-tuned on a task."""
        return to_options(recipe_of(self.settings, recipe, model, task))

    def adaptation(self, recipe: str) -> list[str]:
        """A way of adapting a model to a task of generation."""
        return to_options(self.study.ways[recipe][1])

    def learns_from(self, recipe: str, task: str) -> list[str]:
        """The files of the examples that a way learns from, below the results: one for each of its languages."""
        way, source = self.study.ways[recipe][1], self.settings.source_language
        files = []
        for language in way.languages or [source]:
            if language == source:
                files.append(f"data/{task}/train.parquet")
            elif way.translator is None:
                files.append(f"data/{task}/train.{language}.parquet")
            else:
                files.append(f"data/{task}/translated/{way.translator}/train.{language}.parquet")
        return files

    def translated(self, name: str) -> list[str]:
        """Which examples are translated: those of a file `train.<language>` or `evaluation`."""
        part, _, language = name.partition(".")
        options = ["--part", part, "--source-language", self.settings.source_language]
        return [*options, "--language", language] if language else options

    def mixes(self, recipe: str, model: str) -> str | None:
        """The tokens of the text that a way mixes in, below the results; None if it mixes in none."""
        if not self.study.ways[recipe][1].mixed:
            return None
        return f"tokens/{self.settings.tokenizer_of(model)}/corpora/pretraining"

    def decoding(self) -> list[str]:
        """How outputs are written."""
        return to_options(self.settings.decoding)

    def translation(self, model: str) -> list[str]:
        """In which directions a model translates, which languages, and how."""
        given, directions = self.settings.translation, self.settings.directions_of(model)
        assert directions is not None, model  # see `Study.each_translating`
        options = ["--directions", directions, "--languages", *self.study.languages_of(self.study.translation_test)]
        return [*options, *to_options(Decoding(beams=given.beams, longest=given.longest))]

    def needs_evaluation(self, recipe: str, model: str, task: str) -> bool:
        """Whether the choice of an epoch needs examples in other languages than the source language."""
        return self.settings.recipe(recipe, self.settings.origin(model), task).selection == "mean_dev"

    # ---- views ----

    def outline(self) -> str:
        """The part of the study that tables, figures and the report depend on, as JSON; see `study.outline`."""
        settings = self.settings
        models = []
        for key in settings.models:
            spec = settings.model_catalog[key]
            trained = spec.source == "trained"
            models.append(
                {
                    "key": key,
                    "kind": spec.kind,
                    "base": spec.base,
                    # The twin of a checkpoint has learnt nothing, as one that is made here and gets no update.
                    "objective": "none" if spec.like else spec.objective if trained else None,
                    "directions": spec.directions if trained else None,
                    "steps": settings.pretraining_plan(key).steps if trained else None,
                    "seen": spec.seen,
                    "label": self.study.label(key),
                    "origin": settings.origin(key),
                    **({"other": spec.other, "intervention": spec.intervention} if spec.other else {}),
                    **({"alpha": spec.alpha} if spec.alpha is not None and spec.matrices is None else {}),
                    **({"match": spec.match} if spec.match else {}),
                    **({"tasks_seen": seen} if (seen := tasks_seen(settings, key)) else {}),
                    # Left out for one pretraining, so that views of such a study are not stale.
                    **({"replicates": replicates[1:]} if len(replicates := self.study.replicates(key)) > 1 else {}),
                }
            )
        value = {
            "name": self.study.name,
            "description": settings.description,
            "models": models,
            "tasks": self._tasks(self.study.tasks),
            "recipes": {
                name: {origin: settings.recipe_record(name, origin, self.study.tasks) for origin in self.study.origins}
                for name in self.study.recipes
            },
            "seeds": self.study.seeds,
            "protocols": {name: asdict(settings.protocol_catalog[name]) for name in self.study.protocols},
            "languages": self.study.languages_of("pretraining"),
            **({"shares": settings.corpora.shares} if settings.corpora.shares else {}),
            "source_language": settings.source_language,
            "compare": settings.compare,
            "margin": settings.margin,
            **({"primary": settings.primary} if settings.primary else {}),
            # Left out where nothing is written, so that views of such a study are not stale.
            **self._retrieval(),
            **(self._writing() if self.settings.generation_tasks else {}),
        }
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    def _retrieval(self) -> dict:
        """What the table of retrieval shows; left out where it is the default, so that views are not stale."""
        given = self.settings.retrieval
        depth = {"retrieval_depth": given.depth} if given.depth != RETRIEVAL_DEPTH else {}
        return {**depth, **({"retrieval_licence": given.licence} if given.licence else {})}

    def _tasks(self, names: list[str]) -> list[dict]:
        """Tasks as the outline has them."""
        return [
            {
                "name": task,
                "metric": self.settings.task_catalog[task].metric,
                "languages": task_languages(self.settings, task),
                "source": self.settings.source_of(task).kind,
                "label": self.settings.task_catalog[task].label,
                # Left out where there is none, so that views are not stale.
                **({"licence": licence} if (licence := self.settings.task_catalog[task].licence) else {}),
                **({"description": text} if (text := self.settings.task_catalog[task].description) else {}),
            }
            for task in names
        ]

    def _writing(self) -> dict:
        """Tasks of generation; every way of adapting with its settings, and its name without the rate."""
        settings = self.settings
        tasks = self._tasks(settings.generation_tasks)
        for task in tasks:
            # Left out where it is the default, so that views are not stale.
            if settings.resampling(task["name"]).aligned != (task["source"] == "generated"):
                task["aligned"] = settings.resampling(task["name"]).aligned
        ways = {}
        for key, (name, way) in self.study.ways.items():
            only = {what: vars(settings.adaptations[name])[what] for what in ("models", "tasks")}
            ways[key] = {"way": name, **asdict(way), **{what: names for what, names in only.items() if names}}
        return {"writing": tasks, "adaptations": ways}
