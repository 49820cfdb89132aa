# The study that the config describes, and the functions that rules share.

import os
import re
import sys
from importlib.util import find_spec

# The library must be this checkout's: the digests of code, which decide whether results are stale, are taken from it.
library = find_spec("mtbridge")
if library is None:
    sys.exit(
        f"error: mtbridge is not installed in this Python ({sys.executable}); run `make setup`, or `pip install -e .`"
    )
if os.path.realpath(library.origin or "") != os.path.realpath(f"{workflow.basedir}/workflow/mtbridge/__init__.py"):
    sys.exit(
        f"error: this Python ({sys.executable}) has another mtbridge ({library.origin}); run `make setup` or "
        f"`pip install -e .` in {workflow.basedir}, or set PYTHONPATH={workflow.basedir}/workflow"
    )

from mtbridge.base import session
from mtbridge.base.checkout import from_here
from mtbridge.base.errors import MtbridgeError
from mtbridge.base.identity import digest, remember
from mtbridge.presentation import catalog, requirements
from mtbridge.presentation.exchange import targets
from mtbridge.presentation.requirements import (
    CONTRASTS,
    GENERATION,
    GENERATION_CLAIMS,
    OUTPUT_SCORES,
    RANKING,
    RETRIEVAL,
    RUN_REPLICATES,
    RUN_SCORES,
    SEPARABILITY,
    SLOPES,
)
from mtbridge.representations.measures import MEASURES
from mtbridge.specs.families import FAMILIES
from mtbridge.specs.names import replicate_name, split_replicate
from mtbridge.specs.protocol import ALIGNED
from mtbridge.study.grid import BASELINES, FLOOR, Study
from mtbridge.study.languages import left_out
from mtbridge.study.load import load, unused
from mtbridge.study.options import Options
from mtbridge.study.replicates import links


# Who starts Snakemake in another folder (-s, -d) may have a config.yaml there; results go there too.
configfile: "config.yaml" if os.path.exists("config.yaml") else f"{workflow.basedir}/config.yaml"


session.set_environment(workflow.basedir)

try:
    # A job's own Snakemake has a command line that Snakemake has written.
    if workflow.is_main_process:
        session.check_command_line(sys.argv)
    study = Study(load(config))
    options = Options(study)
    outline = options.outline()
    if workflow.is_main_process:
        for note in filter(None, (left_out(study.settings), unused(config, study.settings))):
            print(note, file=sys.stderr)
except MtbridgeError as error:
    sys.exit(f"error: {error}")

results = study.results
scripts = from_here("scripts")

# Snakemake would silently start the training with as many GPUs as `--resources` allows.
if "gpu" in workflow.global_resources and workflow.global_resources["gpu"].value < study.settings.gpus:
    sys.exit(
        f"error: gpus: {study.settings.gpus} in the config, but fewer here; say --resources gpu={study.settings.gpus}"
    )


onstart:
    # Only jobs that run on this machine and in this Python can use the session.
    is_local = workflow.local_exec and not workflow.touch and not workflow.deployment_settings.deployment_method
    jobs = len(list(workflow.dag.needrun_jobs())) if is_local else 0
    try:
        modules = [family.module for family in FAMILIES.values()]
        session.start(results, workflow.scheduler, jobs, study.settings.gpus, modules)
    except MtbridgeError as error:
        sys.exit(f"error: {error}")
    # On a cluster, and for who asks for more or less, Snakemake prints as it always does.
    asked = ("-q", "--quiet", "-p", "--printshellcmds", "--verbose", "--logger")
    if is_local and workflow.is_main_process and not any(word.split("=")[0] in asked for word in sys.argv):
        try:
            from snakemake.logging import logger as snakemake_logger
            from mtbridge.study.plan import seconds_of_rules
            from mtbridge.study.watching import watch

            models = {model: study.label(model).split(",")[0] for model in study.models}
            tasks = {task: study.settings.task_catalog[task].label or task for task in study.settings.tasks}
            watch(snakemake_logger, workflow.dag.needrun_jobs(), seconds_of_rules(study), models, tasks)
        except Exception:
            pass  # what is printed never stops a run


onsuccess:
    # A run that made the report, or had it among its targets, ends with what was found.
    if (
        workflow.is_main_process
        and not workflow.touch
        and any(job.rule.name == "page" for job in workflow.dag.jobs)
    ):
        try:
            from mtbridge.presentation.page.answers import closing_lines

            print("", *closing_lines(results, outline, study.protocols[0]), sep="\n", flush=True)
        except Exception:
            pass  # the run itself has succeeded


if study.settings.container:

    container: study.settings.container


def one_of(names):
    """A pattern for a wildcard that matches any of the names; without names it matches nothing."""
    # An empty pattern would match the empty text; (?!) never matches.
    return "|".join(re.escape(name) for name in names) or "(?!)"


wildcard_constraints:
    recipe="[^/]+",
    model="[^/]+",
    task="[^/]+",
    corpus="[^/]+",
    tokenizer="[^/]+",
    seed=r"\d+",
    part="train|evaluation",
    view=f"({one_of(f'{protocol}/' for protocol in study.protocols)})?",


def catalog_files(entries=catalog.ENTRIES):
    """The files of those entries of the catalog that the study has."""
    return [path for entry in entries for path in entry.outputs(study)]


def all_scores():
    """The merged scores; none if there is nothing to merge yet, which happens with `partial`."""
    return [f"{results}/scores.parquet"] if study.paths(RUN_SCORES, study.runs_with_scores) else []


def verdict_files():
    """What the study's models were compared with, and their ranks; none without scores."""
    return [f"{results}/{path}" for path in (CONTRASTS, RANKING)] if all_scores() else []


def tokenizer_of(wildcards):
    """The tokenizer folder of the rule's model."""
    return f"{results}/tokenizers/{study.settings.tokenizer_of(wildcards.model)}"


def model_tokens(pattern):
    """An input function: `pattern` with the tokenizer of the rule's model, and with the rule's wildcards."""
    return lambda wildcards: pattern.format(tokenizer=study.settings.tokenizer_of(wildcards.model), **wildcards)


def checkpoint(model):
    """A model's checkpoint: trained here or fetched, or the user's directory, whose date says nothing.

    Rules have a parameter `content` for what the user's directory holds.
    """
    spec = study.settings.model_catalog[model]
    if spec.like is not None:
        return checkpoint(spec.like)
    return ancient(spec.path) if spec.source == "local" else f"{results}/checkpoints/{model}"


def checkpoint_of(wildcards):
    """The checkpoint of the rule's model."""
    return checkpoint(wildcards.model)


def pretraining_inputs(wildcards):
    """Tokens and tokenizer of a model that is trained here, and if it has them, its base and the model it matches."""
    model = study.settings.model_catalog[wildcards.model]
    inputs = {
        "corpus": f"{results}/tokens/{study.settings.tokenizer_of(wildcards.model)}/corpora/pretraining",
        "tokenizer": tokenizer_of(wildcards),
    }
    return inputs | {link: checkpoint(other) for link, other in links(model).items()}


def checkpoint_flags(link):
    """The option of `pretrain` for a checkpoint that only some models need: their base, or the model they match."""
    return lambda wildcards, input: [f"--{link}", input[link]] if link in input.keys() else []


def training_inputs(wildcards):
    """What a fine-tuning reads: English, and all languages only if the recipe chooses the epoch by them."""
    tokens = f"{results}/tokens/{study.settings.tokenizer_of(wildcards.model)}/{wildcards.task}"
    inputs = {
        "encoder": f"{results}/models/{wildcards.model}",
        "tokens": f"{tokens}/train",
        "examples": f"{results}/data/{wildcards.task}/train.parquet",
    }
    if options.needs_evaluation(wildcards.recipe, wildcards.model, wildcards.task):
        inputs["evaluation_tokens"] = f"{tokens}/evaluation"
        inputs["evaluation_examples"] = f"{results}/data/{wildcards.task}/evaluation.parquet"
    return inputs


def adaptation_inputs(wildcards):
    """What an adaptation reads: the whole model, examples of each language, and the text that is mixed in, if any."""
    mixed = options.mixes(wildcards.recipe, wildcards.model)
    return {
        "checkpoint": checkpoint_of(wildcards),
        "tokenizer": tokenizer_of(wildcards),
        "examples": [f"{results}/{path}" for path in options.learns_from(wildcards.recipe, wildcards.task)],
        **({"corpus": f"{results}/{mixed}"} if mixed else {}),
    }


def writing_inputs(wildcards):
    """What an adapted model needs to write: the model, its training, the examples; and who translates for it, if any."""
    trained_as = study.trained_as(wildcards.recipe, wildcards.model, wildcards.task)
    run = f"{results}/runs/{trained_as}/{wildcards.model}/{wildcards.task}/seed{wildcards.seed}"
    inputs = {
        "checkpoint": checkpoint_of(wildcards),
        "tokenizer": tokenizer_of(wildcards),
        "weights": f"{run}/trained.safetensors",
        "record": f"{run}/adaptation.json",
        "examples": f"{results}/data/{wildcards.task}/evaluation.parquet",
    }
    translator = study.ways[wildcards.recipe][1]
    if translator.translates_tests:
        name = translator.translator
        inputs["translator"] = checkpoint(name)
        inputs["translator_tokenizer"] = f"{results}/tokenizers/{study.settings.tokenizer_of(name)}"
        inputs["translated"] = f"{results}/data/{wildcards.task}/translated/{name}/evaluation.parquet"
    return inputs


def translation_flags(wildcards, input):
    """The options of a writing whose inputs are translated, and whose outputs are translated back."""
    if "translated" not in input.keys():
        return []
    return [
        *("--translated", input.translated),
        *("--translator", input.translator, "--translator-tokenizer", input.translator_tokenizer),
    ]


def replicate_number(wildcards):
    """The number of the pretraining whose hidden states are compared."""
    return split_replicate(wildcards.replicate)[1]


def weights_output(weights):
    """Fine-tuned weights: an output that stays, or (keep_weights: false) goes once its predictions are made."""
    return weights if study.settings.keep_weights else temp(weights)


def evaluation_flags(wildcards, input):
    """The options of a fine-tuning that chooses the epoch by all languages."""
    if "evaluation_tokens" not in input.keys():
        return []
    return ["--evaluation-tokens", input.evaluation_tokens, "--evaluation-examples", input.evaluation_examples]


def base_encoder(wildcards):
    """The encoder of the model that a continued model continues."""
    return f"{results}/models/{study.settings.model_catalog[wildcards.model].base}"


def ledger_options(input):
    """The options of `ledger` for the results that it reads: a file, or the folder of several."""
    parts = [(name, input[name]) for name in requirements.of_claims(study)]
    places = [(name, file if isinstance(file, str) else os.path.dirname(file[0])) for name, file in parts]
    return [word for name, place in places for word in (f"--{name}", place)]


def card_of(wildcards):
    """The encoder folder of a run's model, whose card lists the languages it knows; the floor has none."""
    return {} if wildcards.model == FLOOR else {"encoder": f"{results}/models/{wildcards.model}"}


# ---- Resources of cluster jobs: a job that was killed or timed out is tried again with more ----


def growing(amount):
    """A resource that grows with the attempt: memory in MB, or minutes."""
    return lambda wildcards, attempt: amount * attempt


def by_model(small, published):
    """A resource that grows with the attempt: `small` for a model trained here, `published` for any other.

    Models trained here are small; those of the Hub or of the user may have the size of published ones.
    """

    def amount(wildcards, attempt):
        is_small = study.settings.origin(wildcards.model) == "trained"
        return (small if is_small else published) * attempt

    return amount


# ---- Tables and figures ----


def published_values(wildcards):
    """The file of published values that a table or figure puts beside ours, if there is one."""
    return catalog.find(wildcards.name).references(study)


def catalog_inputs(wildcards):
    """The files that a table or figure is made from."""
    return catalog.find(wildcards.name).requires(study, wildcards.view)


def catalog_place(wildcards):
    """The folder or file of these inputs, which the program gets as --inputs."""
    return f"{results}/{catalog.find(wildcards.name).inputs}".format(view=wildcards.view)


def catalog_caption(wildcards):
    """The caption of a table or figure in Snakemake's report, in which a figure's title is its question."""
    entry = catalog.find(wildcards.name)
    return " ".join(text for text in (entry.question, entry.caption, entry.details) if text)


def catalog_category(wildcards):
    """The category of a table or figure in Snakemake's report."""
    return catalog.find(wildcards.name).category


def catalog_labels(wildcards):
    """What tells a table or figure from others of its category in Snakemake's report."""
    entry = catalog.find(wildcards.name)
    protocol = study.protocol(wildcards.view) if entry.per_protocol else "every"
    return {"title": entry.title, "what": entry.kind, "protocol": protocol, "target": entry.name}


def catalog_code(wildcards):
    """The digest of the code of a table or figure."""
    entry = catalog.find(wildcards.name)
    return digest(entry.kind, entry.unused_modules(catalog.ENTRIES))


def catalog_output(kind, suffix):
    """A file of a table or figure; the file with the first suffix is in Snakemake's report too."""
    path = f"{results}/{kind}s/{{view}}{{name}}.{suffix}"
    if suffix != catalog.SUFFIXES[kind][0]:
        return path
    return report(path, caption="../report/captions/catalog.rst", category=catalog_category, labels=catalog_labels)


# These take seconds, so on a cluster they run where Snakemake runs, without a place in the queue.
localrules:
    all,
    report,
    bitext,
    corpus,
    examples_corpus,
    fetch_model,
    import_tokenizer,
    train_examples,
    train_examples_in,
    evaluation_examples,
    corpus_tokens,
    example_tokens,
    floor,
    score,
    baseline_outputs,
    score_outputs,
    summarise_outputs,
    score_translations,
    summarise_translations,
    compare_translators,
    scores,
    contrasts,
    mechanism,
    ledger,
    merge_similarity,
    merge_separability,
    merge_retrieval,
    table,
    figure,
    page,
    exchange,
    model_cards,
