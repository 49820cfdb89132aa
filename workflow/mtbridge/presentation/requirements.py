"""The files that the catalog's tables and figures are made from, and which studies have them.

In all functions, `study` is a `study.grid.Study` and `view` the folder of a protocol under tables/ or figures/.
"""

from mtbridge.specs.names import replicate_name

RUN_SCORES = "scores/{recipe}/{model}/{task}/seed{seed}.parquet"
RUN_REPLICATES = "scores/{recipe}/{model}/{task}/seed{seed}.npz"
CONTRASTS, RANKING = "inference/contrasts.parquet", "inference/ranking.parquet"
SEPARABILITY, SLOPES = "inference/separability.parquet", "inference/slopes.parquet"
CLAIMS = "inference/claims.parquet"
RETRIEVAL = "retrieval.parquet"
OUTPUT_SCORES = "outputs/{recipe}/{model}/{task}/seed{seed}.scores.parquet"
GENERATION = "inference/generation.parquet"
GENERATION_CLAIMS = "inference/generation_claims.parquet"
TRANSLATION_SCORES = "translation/{model}.scores.parquet"
TRANSLATION, TRANSLATORS = "inference/translation.parquet", "inference/translators.parquet"
DISTANCES = "spectra/{model}.distances.parquet"

# The tables whose cells the table `agreement` counts.
COMPARED = ("table1", "table2", "table4", "table5")


# ---- What a table or figure is made from: files under the results of a study ----


def no_files(study, view: str) -> list[str]:
    """No file: the study's settings say all that is needed."""
    return []


def scored_runs(study, view: str) -> list[str]:
    """Scores of every run and their replicates."""
    return [*study.paths(RUN_SCORES, study.runs_with_scores), *study.paths(RUN_REPLICATES, study.runs_with_scores)]


def singular_values(study, view: str) -> list[str]:
    """Singular values of models that have a base, and of the bases."""
    return study.paths("spectra/{model}.npz", study.each_with_spectra)


def weight_distances(study, view: str) -> list[str]:
    """Distances of the weights of continued models to their bases', and the singular values of both."""
    return [*singular_values(study, view), *study.paths(DISTANCES, study.each_continued)]


def separability(study, view: str) -> list[str]:
    """How far languages lie apart on the corpus of a protocol."""
    return [f"{study.results}/separability/{study.corpus_of(view)}.parquet"]


def languages_alike(study) -> list[str]:
    """Similarities of languages, of every pretraining; none where no figure shows similarities."""
    if not study.each_continued or not has_labels(study):
        return []
    # With `partial` there may be no hidden states of a pretraining yet.
    numbers = [
        number
        for number in range(1, study.most_replicates + 1)
        if all(study.models_with_states(corpus, number) for corpus in study.corpora)
    ]
    return [f"{study.results}/cka/{replicate_name('languages', number)}.parquet" for number in numbers]


def of_languages(study, view: str) -> list[str]:
    """Similarities of languages, of every pretraining, for a figure."""
    return languages_alike(study)


def of_claims(study) -> dict[str, str | list[str]]:
    """What the ledger reads of a study: option of its program -> file, or the files of a folder."""
    files: dict[str, str | list[str]] = {"contrasts": f"{study.results}/{CONTRASTS}"}
    if continues_and_scores(study):
        files |= {"separability": f"{study.results}/{SEPARABILITY}", "slopes": f"{study.results}/{SLOPES}"}
        files |= {"similarity": languages_alike(study)}
    if continues_models(study):
        files |= {"spectra": weight_distances(study, "")}
    return files


def of_translators(study) -> dict[str, str | list[str]]:
    """What translators are compared by: summarised translations, scored runs and summarised outputs, if any."""
    files: dict[str, str | list[str]] = {"translation": f"{study.results}/{TRANSLATION}"}
    if has_labels(study) and has_scores(study):
        files["scores"] = scored_runs(study, "")
    if writes_texts(study):
        files["generation"] = [f"{study.results}/{GENERATION}"]
    return files


def examples(study, view: str) -> list[str]:
    """Every task's examples."""
    return [
        *study.paths("data/{task}/train.parquet", study.each_task),
        *study.paths("data/{task}/evaluation.parquet", study.each_task),
    ]


def tables_with_published_values(study, view: str) -> list[str]:
    """The tables whose cells `agreement` counts."""
    return [f"{study.results}/tables/{view}{name}.csv" for name in COMPARED]


# ---- Which studies have a table or figure ----


def has_labels(study) -> bool:
    """Are there tasks that predict labels, and not texts?"""
    return bool(study.tasks)


def writes_texts(study) -> bool:
    """Are texts written, and scored? With `partial` there may be none yet."""
    return bool(study.paths(OUTPUT_SCORES, study.writing_runs))


def translates(study) -> bool:
    """Does any model translate? With `partial` there may be no translation yet."""
    return bool(study.paths(TRANSLATION_SCORES, study.each_translating))


def translates_and_transfers(study) -> bool:
    """Are there translations, and zero-shot scores to set them beside?"""
    return translates(study) and ((has_labels(study) and has_scores(study)) or writes_texts(study))


def knows_exposure(study) -> bool:
    """Does any model say what it was trained on?"""
    return any(study.settings.model_catalog[model].seen for model in study.models)


def continues_models(study) -> bool:
    """Does a model continue another one of the study?"""
    return bool(study.each_continued)


def compares_languages(study) -> bool:
    """Is there a continued model whose languages can be compared with those of its base?"""
    return has_similarities(study) and bool(languages_alike(study))


def continues_and_has_labels(study) -> bool:
    """Does a model continue another one in a study that shows Tables 2 and 5?"""
    return continues_models(study) and has_labels(study)


def derives_models(study) -> bool:
    """Are there models whose weights are derived from others', and scores?"""
    catalog = study.settings.model_catalog
    return any(catalog[model].source == "derived" for model in study.models) and has_scores(study)


def has_doses(study) -> bool:
    """Do two models continue one base on the same objective, with other numbers of updates, and are there scores?"""
    arms: dict[tuple, set[int]] = {}
    for row in study.each_continued:
        spec = study.settings.model_catalog[row["model"]]
        if spec.source == "trained":
            steps = study.settings.pretraining_plan(row["model"]).steps
            arms.setdefault((spec.base, spec.objective, spec.directions), set()).add(steps)
    return any(len(steps) > 1 for steps in arms.values()) and has_scores(study)


def continues_and_scores(study) -> bool:
    """Does a model continue another one, and are there hidden states and scores?"""
    return continues_models(study) and has_similarities(study) and has_scores(study)


def continues_and_is_scored(study) -> bool:
    """Does a model continue another one, and are there scores?"""
    return continues_models(study) and has_scores(study)


def has_scores(study) -> bool:
    """Are there scores? With `partial` there may be none yet."""
    return bool(study.paths(RUN_SCORES, study.runs_with_scores))


def chooses_rates(study) -> bool:
    """Do recipes differ in the learning rate alone, and are there scores?"""
    return study.chooses_rates and has_scores(study)


def retrieves(study) -> bool:
    """Are translations looked for, among pairs of their own or where hidden states are compared?"""
    return bool(study.retrieval()) and (bool(study.bitexts) or has_similarities(study))


def has_published_values(study) -> bool:
    """Does the study put published values beside its own?"""
    return study.settings.published


def has_similarities(study) -> bool:
    """Are there hidden states to compare? With `partial` there may be none yet."""
    return has_labels(study) and all(study.models_with_states(corpus) for corpus in study.corpora)
