# The study that the config describes, and the few functions that rules share.

import os
import re
import sys
from importlib.util import find_spec

# The library must be this checkout's: what results were made by is looked up there.
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
from mtbridge.base.errors import MtbridgeError
from mtbridge.base.identity import digest, remember
from mtbridge.specs.families import FAMILIES
from mtbridge.study.grid import MAJORITY, Study
from mtbridge.study.load import load
from mtbridge.study.options import Options


configfile: "config.yaml"


session.set_environment(workflow.basedir)

try:
    study = Study(load(config))
    options = Options(study)
    outline = options.outline()
except MtbridgeError as error:
    sys.exit(f"error: {error}")

results = study.results

# Snakemake would start the training with as many as it was told of, without a word.
if "gpu" in workflow.global_resources and workflow.global_resources["gpu"].value < study.settings.gpus:
    sys.exit(
        f"error: gpus: {study.settings.gpus} in the config, but fewer here; say --resources gpu={study.settings.gpus}"
    )


onstart:
    # Jobs that run on this machine and in this Python.
    here = workflow.local_exec and not workflow.touch and not workflow.deployment_settings.deployment_method
    jobs = len(list(workflow.dag.needrun_jobs())) if here else 0
    try:
        modules = [family.module for family in FAMILIES.values()]
        session.start(results, workflow.scheduler, jobs, study.settings.gpus, modules)
    except MtbridgeError as error:
        sys.exit(f"error: {error}")


RUN_SCORES = "scores/{recipe}/{model}/{task}/seed{seed}.parquet"
RUN_REPLICATES = "scores/{recipe}/{model}/{task}/seed{seed}.npz"


if study.settings.container:

    container: study.settings.container


wildcard_constraints:
    recipe="[^/]+",
    model="[^/]+",
    task="[^/]+",
    corpus="[^/]+",
    tokenizer="[^/]+",
    seed=r"\d+",
    number=r"\d",
    part="train|evaluation",
    view="(paper/|sound/)?",


def one_of(names):
    """A wildcard that is one of some names; of none, it matches nothing."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def views(pattern):
    """A path for each way in which the study is shown."""
    return [f"{results}/{pattern.format(view=study.view(protocol))}" for protocol in study.protocols]


def tables(*numbers):
    return [path for n in numbers for end in ("csv", "md", "tex") for path in views(f"tables/{{view}}table{n}.{end}")]


def figures(*numbers):
    ends = ("png", "svg", "pdf", "csv")
    if not all(study.compared(corpus) for corpus in study.corpora):
        return []  # `partial`, and no model's hidden states are there yet
    return [path for n in numbers for end in ends for path in views(f"figures/{{view}}figure{n}.{end}")]


def side_tables():
    """Tables that only some studies have: what models have seen, the choice of a learning rate, the summary of how far
    ours are from the published values."""
    names = ["exposure"] if any(study.settings.model_catalog[model].seen for model in study.models) else []
    if study.chooses_rates and all_scores():
        names += [study.view(protocol) + "learning_rate" for protocol in study.protocols]
    if study.settings.published:
        names += [study.view(protocol) + "agreement" for protocol in study.protocols]
    return [f"{results}/tables/{name}.{end}" for name in names for end in ("csv", "md")]


def all_scores():
    """The merged scores, unless (`partial`) there is nothing to merge yet."""
    return [f"{results}/scores.parquet"] if study.paths(RUN_SCORES, study.scored) else []


def tokenizer_of(wildcards):
    """The tokenizer folder of the rule's model."""
    return f"{results}/tokenizers/{study.settings.tokenizer_of(wildcards.model)}"


def model_tokens(pattern):
    """An input function: tokens made by the tokenizer of the rule's model."""
    return lambda wildcards: pattern.format(tokenizer=study.settings.tokenizer_of(wildcards.model), **wildcards)


def checkpoint(model):
    """A model's checkpoint: trained here or fetched, or the user's directory."""
    spec = study.settings.model_catalog[model]
    return spec.path if spec.source == "local" else f"{results}/checkpoints/{model}"


def checkpoint_of(wildcards):
    """The checkpoint of the rule's model."""
    return checkpoint(wildcards.model)


def pretraining_inputs(wildcards):
    """Tokens and tokenizer of a model that is trained here, and the checkpoint that it is continued from."""
    model = study.settings.model_catalog[wildcards.model]
    inputs = {
        "corpus": f"{results}/tokens/{study.settings.tokenizer_of(wildcards.model)}/corpora/pretraining",
        "tokenizer": tokenizer_of(wildcards),
    }
    return {**inputs, "base": checkpoint(model.base)} if model.base else inputs


def training_inputs(wildcards):
    """What a fine-tuning reads: English, and every language only where the recipe's choice of the epoch looks at them."""
    tokens = f"{results}/tokens/{study.settings.tokenizer_of(wildcards.model)}/{wildcards.task}"
    inputs = {
        "encoder": f"{results}/models/{wildcards.model}",
        "tokens": f"{tokens}/train",
        "examples": f"{results}/data/{wildcards.task}/train.parquet",
    }
    if options.needs_evaluation(wildcards.recipe, wildcards.task):
        inputs["evaluation_tokens"] = f"{tokens}/evaluation"
        inputs["evaluation_examples"] = f"{results}/data/{wildcards.task}/evaluation.parquet"
    return inputs


def kept(weights):
    """Fine-tuned weights: an output that stays, or one that goes once its predictions are made."""
    return weights if study.settings.keep_weights else temp(weights)


def evaluation_flags(wildcards, input):
    """The options of a fine-tuning whose choice of the epoch looks at every language."""
    if "evaluation_tokens" not in input.keys():
        return []
    return ["--evaluation-tokens", input.evaluation_tokens, "--evaluation-examples", input.evaluation_examples]


def card_of(wildcards):
    """The encoder folder of a run's model, whose card says which languages it knows; the majority baseline has none."""
    return {} if wildcards.model == MAJORITY else {"encoder": f"{results}/models/{wildcards.model}"}


# ---- What a cluster's job asks for: a killed or timed-out job comes back with more ----


def growing(amount):
    """A resource that grows with the attempt: memory in MB, or minutes."""
    return lambda wildcards, attempt: amount * attempt


def by_model(small, published):
    """A resource of a job on one model, trained here or published (or the user's own); it grows with the attempt."""

    def amount(wildcards, attempt):
        trained = study.settings.model_catalog[wildcards.model].source == "trained"
        return (small if trained else published) * attempt

    return amount


# ---- Outputs of the tables and figures ----


def table_files(numbers):
    """The three files of a table, captioned for Snakemake's own report. `numbers`: which tables, as a pattern."""
    path = f"{results}/tables/{{view}}table{{number,{numbers}}}"
    captioned = report(
        f"{path}.csv", caption="../report/captions/tables.rst", category="Tables", labels={"table": "{number}"}
    )
    return {"csv": captioned, "md": f"{path}.md", "tex": f"{path}.tex"}


def table_command(folder):
    """The command of a table that is made from what lies in a folder of the results."""
    return (
        "python scripts/table.py --number {wildcards.number} --study {params.outline:q} --protocol {params.protocol} "
        f"--inputs {results}/{folder} "
        "{params.reference:q} --csv {output.csv:q} --md {output.md:q} --tex {output.tex:q} > {log:q} 2>&1"
    )


figure_files = {
    "png": report(
        f"{results}/figures/{{view}}figure{{number}}.png",
        caption="../report/captions/figures.rst",
        category="Figures",
        labels={"figure": "{number}"},
    ),
    **{end: f"{results}/figures/{{view}}figure{{number}}.{end}" for end in ("svg", "pdf", "csv")},
}


# What takes seconds is not worth a place in a cluster's queue.
localrules:
    all,
    table1,
    table2,
    table3,
    table4,
    table5,
    figure1,
    figure2,
    report,
    corpus,
    examples_corpus,
    fetch_model,
    import_tokenizer,
    train_examples,
    evaluation_examples,
    corpus_tokens,
    example_tokens,
    majority,
    score,
    scores,
    merge_cka,
    score_tables,
    spectra_tables,
    data_table,
    exposure,
    learning_rate,
    agreement,
    figure,
    page,
