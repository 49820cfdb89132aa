# Tasks of generation: adaptations of sequence-to-sequence models, what they write, and its scores.


rule translate_examples:
    """Examples as a model of the study translates them: English train in a language, or all test inputs in English."""
    input:
        checkpoint=checkpoint_of,
        tokenizer=tokenizer_of,
        examples=lambda wildcards: f"{results}/data/{wildcards.task}/{wildcards.translated.split('.')[0]}.parquet",
    output:
        f"{results}/data/{{task}}/translated/{{model}}/{{translated}}.parquet",
    log:
        f"{results}/logs/translate_examples/{{task}}.{{model}}.{{translated}}.log",
    wildcard_constraints:
        task=one_of(study.settings.generation_tasks),
        translated=r"train\.[^/.]+|evaluation",
    conda:
        "../../envs/environment.yaml"
    threads: study.settings.threads
    resources:
        mem_mb=by_model(2000, 16000),
        runtime=by_model(60, 480),
        gpu=min(1, study.settings.gpus),
        runs_per_gpu=study.settings.runs_per_gpu,
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        part=lambda wildcards: options.translated(wildcards.translated),
        content=lambda wildcards: options.checkpoint_content(wildcards.model),
        code=digest("translate_examples"),
    shell:
        "python {params.scripts:q}/translate_examples.py {params.part:q} {params.task:q} --gpus {resources.gpu} "
        "--runs-per-gpu {resources.runs_per_gpu} --checkpoint {input.checkpoint:q} --tokenizer {input.tokenizer:q} "
        "--examples {input.examples:q} --threads {threads} --output {output:q} > {log:q} 2>&1"


rule adapt:
    """Adapt a sequence-to-sequence model to one task of generation, in one way, with one rate and seed."""
    input:
        unpack(adaptation_inputs),
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
        gpu=study.settings.gpus,
        runs_per_gpu=study.settings.runs_per_gpu,
        state_every=str(study.settings.checkpoint_minutes),
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        adaptation=lambda wildcards: options.adaptation(wildcards.recipe),
        corpus=lambda wildcards, input: ["--corpus", input.corpus] if "corpus" in input.keys() else [],
        content=lambda wildcards: options.checkpoint_content(wildcards.model),
        state=f"{results}/unfinished/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}",
        code=digest("adapt"),
    shell:
        "python {params.scripts:q}/adapt.py --gpus {resources.gpu} --runs-per-gpu {resources.runs_per_gpu} "
        "{params.task:q} --model {wildcards.model:q} --checkpoint {input.checkpoint:q} "
        "--tokenizer {input.tokenizer:q} --examples {input.examples:q} {params.corpus:q} --seed {wildcards.seed} "
        "{params.adaptation:q} --recipe-name {wildcards.recipe:q} --identity {params.code} --threads {threads} "
        "--state {params.state:q} --state-every {resources.state_every} "
        "--weights {output.weights:q} --record {output.record:q} > {log:q} 2>&1"


rule generate:
    """What an adapted model writes for the test examples of every language, and for English dev."""
    input:
        unpack(writing_inputs),
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
        gpu=min(1, study.settings.gpus),
        runs_per_gpu=study.settings.runs_per_gpu,
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        decoding=options.decoding(),
        translation=translation_flags,
        source_language=study.settings.source_language,
        content=lambda wildcards: options.checkpoint_content(wildcards.model),
        code=digest("generate"),
    shell:
        "python {params.scripts:q}/generate.py --gpus {resources.gpu} --runs-per-gpu {resources.runs_per_gpu} "
        "{params.task:q} --checkpoint {input.checkpoint:q} --tokenizer {input.tokenizer:q} "
        "--weights {input.weights:q} --record {input.record:q} --examples {input.examples:q} {params.translation:q} "
        "{params.decoding:q} --source-language {params.source_language:q} --threads {threads} --output {output:q} "
        "> {log:q} 2>&1"


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
