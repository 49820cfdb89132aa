# Tasks of generation: adaptations of sequence-to-sequence models, what they write, and its scores.


rule adapt:
    """Adapt a sequence-to-sequence model to one task of generation in English, in one way, with one rate and seed."""
    input:
        checkpoint=checkpoint_of,
        tokenizer=tokenizer_of,
        examples=f"{results}/data/{{task}}/train.parquet",
    output:
        weights=weights_output(f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/trained.safetensors"),
        record=f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/adaptation.json",
    log:
        f"{results}/logs/adapt/{{recipe}}.{{model}}.{{task}}.seed{{seed}}.log",
    wildcard_constraints:
        recipe=one_of(study.ways),
        task=one_of(study.settings.generation_tasks),
    conda:
        "../../envs/environment.yaml"
    threads: study.settings.threads
    resources:
        mem_mb=by_model(4000, 24000),
        runtime=by_model(120, 480),
        state_every=str(study.settings.checkpoint_minutes),
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        adaptation=lambda wildcards: options.adaptation(wildcards.recipe),
        content=lambda wildcards: options.checkpoint_content(wildcards.model),
        state=f"{results}/unfinished/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}",
        code=digest("adapt"),
    shell:
        "python {params.scripts:q}/adapt.py {params.task:q} --model {wildcards.model:q} --checkpoint {input.checkpoint:q} "
        "--tokenizer {input.tokenizer:q} --examples {input.examples:q} --seed {wildcards.seed} {params.adaptation:q} "
        "--recipe-name {wildcards.recipe:q} --identity {params.code} --threads {threads} --state {params.state:q} "
        "--state-every {resources.state_every} --weights {output.weights:q} --record {output.record:q} > {log:q} 2>&1"


rule generate:
    """What an adapted model writes for the test examples of every language, and for English dev."""
    input:
        checkpoint=checkpoint_of,
        tokenizer=tokenizer_of,
        weights=f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/trained.safetensors",
        record=f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/adaptation.json",
        examples=f"{results}/data/{{task}}/evaluation.parquet",
    output:
        f"{results}/outputs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}.parquet",
    log:
        f"{results}/logs/generate/{{recipe}}.{{model}}.{{task}}.seed{{seed}}.log",
    wildcard_constraints:
        recipe=one_of(study.ways),
        task=one_of(study.settings.generation_tasks),
    conda:
        "../../envs/environment.yaml"
    threads: study.settings.threads
    resources:
        mem_mb=by_model(2000, 16000),
        runtime=by_model(60, 240),
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        decoding=options.decoding(),
        source_language=study.settings.source_language,
        content=lambda wildcards: options.checkpoint_content(wildcards.model),
        code=digest("generate"),
    shell:
        "python {params.scripts:q}/generate.py {params.task:q} --checkpoint {input.checkpoint:q} --tokenizer {input.tokenizer:q} "
        "--weights {input.weights:q} --record {input.record:q} --examples {input.examples:q} {params.decoding:q} "
        "--source-language {params.source_language:q} --threads {threads} --output {output:q} > {log:q} 2>&1"


rule baseline_outputs:
    """What no model is needed for: the input as it is, or its first sentence."""
    input:
        f"{results}/data/{{task}}/evaluation.parquet",
    output:
        f"{results}/outputs/none/{{baseline}}/{{task}}/seed0.parquet",
    log:
        f"{results}/logs/baseline_outputs/{{baseline}}.{{task}}.log",
    wildcard_constraints:
        baseline=one_of(BASELINES),
        task=one_of(study.settings.generation_tasks),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        source_language=study.settings.source_language,
        code=digest("baseline_outputs"),
    shell:
        "python {params.scripts:q}/baseline_outputs.py {params.task:q} --baseline {wildcards.baseline:q} --examples {input:q} "
        "--source-language {params.source_language:q} --output {output:q} > {log:q} 2>&1"


rule score_outputs:
    """The scores of every output of a run, and what is wrong with it."""
    input:
        f"{results}/outputs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}.parquet",
    output:
        f"{results}/outputs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}.scores.parquet",
    log:
        f"{results}/logs/score_outputs/{{recipe}}.{{model}}.{{task}}.seed{{seed}}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        languages=study.languages,
        code=digest("score_outputs"),
    shell:
        "python {params.scripts:q}/score_outputs.py --outputs {input:q} --languages {params.languages:q} --output {output:q} "
        "> {log:q} 2>&1"


rule summarise_outputs:
    """Means of these scores with intervals, the rates that are chosen, and the ledger of the paper's findings."""
    input:
        study.paths(OUTPUT_SCORES, study.writing_runs_with_baselines),
    output:
        summary=f"{results}/{GENERATION}",
        ledger=f"{results}/{GENERATION_CLAIMS}",
    log:
        f"{results}/logs/summarise_outputs.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        outputs=f"{results}/outputs",
        code=digest("summarise_outputs"),
    shell:
        "python {params.scripts:q}/summarise_outputs.py --study {params.outline:q} --outputs {params.outputs:q} "
        "--summary {output.summary:q} --ledger {output.ledger:q} > {log:q} 2>&1"
