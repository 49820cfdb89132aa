# Predictions (one process for all languages of a run) and their scores.


rule predict:
    """Predict every language and split of a task with one run."""
    input:
        encoder=f"{results}/models/{{model}}",
        weights=f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/model.safetensors",
        record=f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/run.json",
        tokens=model_tokens(f"{results}/tokens/{{tokenizer}}/{{task}}/evaluation"),
        examples=f"{results}/data/{{task}}/evaluation.parquet",
    output:
        f"{results}/predictions/{{recipe}}/{{model}}/{{task}}/seed{{seed}}.parquet",
    log:
        f"{results}/logs/predict/{{recipe}}.{{model}}.{{task}}.seed{{seed}}.log",
    wildcard_constraints:
        model=one_of(study.settings.model_catalog),
    conda:
        "../../envs/environment.yaml"
    threads: study.settings.threads
    resources:
        mem_mb=by_model(2000, 16000),
        runtime=by_model(60, 120),
        gpu=min(1, study.settings.gpus),
        runs_per_gpu=study.settings.runs_per_gpu,
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        code=digest("predict"),
    shell:
        "python {params.scripts:q}/predict.py {params.task:q} "
        "--gpus {resources.gpu} --runs-per-gpu {resources.runs_per_gpu} --encoder {input.encoder:q} --weights {input.weights:q} "
        "--record {input.record:q} --tokens {input.tokens:q} --examples {input.examples:q} --threads {threads} "
        "--output {output:q} > {log:q} 2>&1"


rule floor:
    """The floor: the one answer to all examples of a language that scores best on them."""
    input:
        f"{results}/data/{{task}}/evaluation.parquet",
    output:
        f"{results}/predictions/none/floor/{{task}}/seed0.parquet",
    log:
        f"{results}/logs/floor/{{task}}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        code=digest("floor"),
    shell:
        "python {params.scripts:q}/floor.py {params.task:q} --examples {input:q} --output {output:q} > {log:q} 2>&1"


rule score:
    """A run's scores by language and split with intervals, and the bootstrap replicates of the scores."""
    input:
        unpack(card_of),
        predictions=f"{results}/predictions/{{recipe}}/{{model}}/{{task}}/seed{{seed}}.parquet",
        examples=f"{results}/data/{{task}}/evaluation.parquet",
    output:
        scores=f"{results}/scores/{{recipe}}/{{model}}/{{task}}/seed{{seed}}.parquet",
        replicates=f"{results}/scores/{{recipe}}/{{model}}/{{task}}/seed{{seed}}.npz",
    log:
        f"{results}/logs/score/{{recipe}}.{{model}}.{{task}}.seed{{seed}}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        task=lambda wildcards: options.scoring(wildcards.task),
        card=lambda wildcards, input: ["--encoder", input.encoder] if "encoder" in input.keys() else [],
        code=digest("score"),
    shell:
        "python {params.scripts:q}/score.py {params.task:q} --predictions {input.predictions:q} --examples {input.examples:q} "
        "--recipe {wildcards.recipe:q} --model {wildcards.model:q} --seed {wildcards.seed} {params.card:q} "
        "--output {output.scores:q} --replicates {output.replicates:q} > {log:q} 2>&1"


rule scores:
    """All scores in one file."""
    input:
        study.paths(RUN_SCORES, study.runs_with_scores),
    output:
        f"{results}/scores.parquet",
    log:
        f"{results}/logs/scores.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        # A shell takes an argument of 128 KB. Paths relative to scores/ are short enough for four thousand runs.
        folder=lambda wildcards, output: output[0].removesuffix(".parquet"),
        tables=lambda wildcards, input: [os.path.relpath(path, f"{results}/scores") for path in input],
        code=digest("merge"),
    shell:
        "python {params.scripts:q}/merge.py --folder {params.folder:q} --tables {params.tables:q} --output {output:q} > {log:q} 2>&1"
