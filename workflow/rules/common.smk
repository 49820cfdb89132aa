# The study that the config describes, and the few functions that rules share.

import contextlib
import fcntl
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, f"{workflow.basedir}/workflow")

from mtbridge import config as study_config
from mtbridge.base.identity import digest, remember
from mtbridge.errors import MtbridgeError
from mtbridge.grid import MAJORITY, Study


configfile: "config.yaml"


# Programs run with the Python that runs Snakemake, also when its environment was not activated; a cluster's sacct by way of
# one that also answers when the controller is away.
os.environ.update(
    PATH=os.pathsep.join(
        [os.path.dirname(sys.executable), f"{workflow.basedir}/profiles/slurm/bin", os.getenv("PATH", "")]
    ),
    PYTHONHASHSEED="0",
    TOKENIZERS_PARALLELISM="false",
    TQDM_DISABLE="1",
    # Jobs end when this process does, however it ends.
    MTBRIDGE_WORKFLOW=str(os.getpid()),
)

try:
    study = Study(study_config.load(config))
    outline = study.outline()
except MtbridgeError as error:
    sys.exit(f"error: {error}")

results = study.results

# Snakemake would start the training with as many as it was told of, without a word.
if "gpu" in workflow.global_resources and workflow.global_resources["gpu"].value < study.settings.gpus:
    sys.exit(
        f"error: gpus: {study.settings.gpus} in the config, but fewer here; say --resources gpu={study.settings.gpus}"
    )


def claim():
    """One workflow at a time works on a study. The kernel frees the lock when the process ends, so a killed one leaves
    nothing to unlock; the profiles turn Snakemake's own lock off, which stays behind."""
    place = os.path.join(results, "unfinished", "workflow.lock")
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        file = open(place, "a+")
    except OSError as error:
        sys.exit(f"error: {results}: cannot be written: {error}; check the folder's space and rights")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        sys.exit(f"error: {results}: another workflow ({file.read()}) is at work on it; wait for its end or stop it")
    except OSError as error:
        print(f"{place}: cannot be locked ({error}); start no second workflow on this study", file=sys.stderr)
    with contextlib.suppress(OSError):  # a full disk; it only says who is at work
        file.truncate(0)
        os.write(file.fileno(), f"{socket.gethostname()} process {os.getpid()}".encode())
    return file


def mend_clock():
    """Bring what another machine's clock dated into the future back to now, all to the same: Snakemake would take what
    is made of it for older than it, and throw it away."""
    now, late = time.time(), 0
    for folder, _, names in os.walk(results):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            with contextlib.suppress(OSError):
                if os.lstat(path).st_mtime > now:
                    os.utime(path, (now, now), follow_symlinks=False)
                    late += 1
    if late:
        print(f"{results}: {late} files and folders were dated in the future; they are from now", file=sys.stderr)


def warm():
    """Where many jobs run on this machine, one process imports what all of them import, and they start as its forks.

    Not with GPUs: whatever looks for one while it is imported would leave CUDA in a state that no fork can use.
    """
    here = workflow.local_exec and not workflow.touch and not workflow.deployment_settings.deployment_method
    if not here or study.settings.gpus or not hasattr(os, "pidfd_open") or len(list(workflow.dag.needrun_jobs())) < 10:
        return
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with contextlib.suppress(OSError):
        place = os.path.join(tempfile.mkdtemp(prefix="mtbridge-"), "socket")
        command = [sys.executable, f"{workflow.basedir}/scripts/_warm.py", place, str(os.getpid())]
        subprocess.Popen(
            command,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **alone, "CUDA_VISIBLE_DEVICES": ""},
        )
        os.environ.update(MTBRIDGE_WARM=place)


onstart:
    globals()["claimed"] = claim()
    mend_clock()
    warm()
    # Its limit of 100 jobs a second makes Snakemake 9.27 look at all jobs again every second, once for each that has finished
    # so far: towards the end of a study of 500 jobs this takes a core.
    if not any(word.startswith("--max-jobs-per") for word in sys.argv):
        workflow.scheduler.job_rate_limiter = None


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
    if study.needs_evaluation(wildcards.recipe, wildcards.task):
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
