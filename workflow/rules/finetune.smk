# Tokens of the examples, and one fine-tuning for each recipe, model, task and seed.


rule example_tokens:
    """A task's examples as token ids, once for each tokenizer."""
    input:
        examples=f"{results}/data/{{task}}/{{part}}.parquet",
        tokenizer=f"{results}/tokenizers/{{tokenizer}}",
    output:
        directory(f"{results}/tokens/{{tokenizer}}/{{task}}/{{part}}"),
    log:
        f"{results}/logs/example_tokens/{{tokenizer}}.{{task}}.{{part}}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        code=digest("example_tokens"),
    shell:
        "python {params.scripts:q}/example_tokens.py {params.task:q} --examples {input.examples:q} --tokenizer {input.tokenizer:q} "
        "--output {output:q} > {log:q} 2>&1"


rule finetune:
    """Fine-tune one encoder with a head on one task in English, with one seed."""
    input:
        unpack(training_inputs),
    output:
        weights=weights_output(f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/model.safetensors"),
        record=f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/run.json",
    log:
        f"{results}/logs/finetune/{{recipe}}.{{model}}.{{task}}.seed{{seed}}.log",
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
        recipe=lambda wildcards: options.recipe(wildcards.recipe, wildcards.model, wildcards.task),
        evaluation=evaluation_flags,
        state=f"{results}/unfinished/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}",
        code=digest("finetune"),
    shell:
        "python {params.scripts:q}/finetune.py "
        "--gpus {resources.gpu} --runs-per-gpu {resources.runs_per_gpu} {params.task:q} "
        "--model {wildcards.model:q} --encoder {input.encoder:q} --tokens {input.tokens:q} --examples {input.examples:q} {params.evaluation:q} --seed {wildcards.seed} "
        "{params.recipe:q} --recipe-name {wildcards.recipe:q} --identity {params.code} --threads {threads} "
        "--state {params.state:q} --state-every {resources.state_every} "
        "--weights {output.weights:q} --record {output.record:q} > {log:q} 2>&1"
