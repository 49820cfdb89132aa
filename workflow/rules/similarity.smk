# Hidden states, once for each model and corpus; their similarity, how far languages lie apart in them, and retrieval.


rule states:
    """Mean-pooled hidden states of every layer and language."""
    input:
        encoder=f"{results}/models/{{model}}",
        corpus=model_tokens(f"{results}/tokens/{{tokenizer}}/corpora/{{corpus}}"),
    output:
        f"{results}/states/{{corpus}}/{{model}}.safetensors",
    log:
        f"{results}/logs/states/{{corpus}}.{{model}}.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=by_model(2000, 16000),
        runtime=growing(60),
        gpu=min(1, study.settings.gpus),
        runs_per_gpu=study.settings.runs_per_gpu,
    params:
        scripts=scripts,
        languages=lambda wildcards: study.languages_of(wildcards.corpus),
        length=study.settings.similarity_length,
        code=digest("states"),
    shell:
        "python {params.scripts:q}/states.py "
        "--gpus {resources.gpu} --runs-per-gpu {resources.runs_per_gpu} --encoder {input.encoder:q} --corpus {input.corpus:q} "
        "--languages {params.languages:q} --max-length {params.length} --output {output:q} > {log:q} 2>&1"


rule similarity:
    """A measure between models, or between languages, on one corpus. --aligned: rows of languages are translations.

    models.parquet and languages.parquet have the first pretraining of every model, models@2.parquet the second, if it
    is asked for by its path.
    """
    input:
        lambda wildcards: study.states(wildcards.corpus, replicate_number(wildcards)),
    output:
        f"{results}/{{measure}}/{{corpus}}/{{between}}{{replicate}}.parquet",
    log:
        f"{results}/logs/{{measure}}/{{corpus}}.{{between}}{{replicate}}.log",
    wildcard_constraints:
        measure=one_of(MEASURES),
        between="models|languages",
        replicate=f"({one_of(replicate_name('', number) for number in range(2, study.most_replicates + 1))})?",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        scripts=scripts,
        models=lambda wildcards: study.models_with_states(wildcards.corpus, replicate_number(wildcards)),
        aligned=lambda wildcards: "--aligned" if wildcards.corpus == ALIGNED else "",
        code=digest("similarity"),
    shell:
        "python {params.scripts:q}/similarity.py --measure {wildcards.measure:q} --between {wildcards.between:q} "
        "--corpus {wildcards.corpus:q} --models {params.models:q} --states {input:q} {params.aligned} "
        "--output {output:q} > {log:q} 2>&1"


rule merge_similarity:
    """The values of a measure on all corpora in one file."""
    input:
        expand(f"{results}/{{{{measure}}}}/{{corpus}}/{{{{between}}}}{{{{replicate}}}}.parquet", corpus=study.corpora),
    output:
        f"{results}/{{measure}}/{{between}}{{replicate}}.parquet",
    log:
        f"{results}/logs/{{measure}}/{{between}}{{replicate}}.log",
    wildcard_constraints:
        measure=one_of(MEASURES),
        between="models|languages",
        replicate=f"({one_of(replicate_name('', number) for number in range(2, study.most_replicates + 1))})?",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        code=digest("merge"),
    shell:
        "python {params.scripts:q}/merge.py --tables {input:q} --output {output:q} > {log:q} 2>&1"


rule measure_separability:
    """How far languages lie apart in a model's hidden states. --aligned: rows of languages are translations."""
    input:
        f"{results}/states/{{corpus}}/{{model}}.safetensors",
    output:
        f"{results}/separability/{{corpus}}/{{model}}.parquet",
    log:
        f"{results}/logs/measure_separability/{{corpus}}.{{model}}.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=by_model(2000, 8000),
        runtime=growing(60),
    params:
        scripts=scripts,
        aligned=lambda wildcards: "--aligned" if wildcards.corpus == ALIGNED else "",
        code=digest("measure_separability"),
    shell:
        "python {params.scripts:q}/measure_separability.py --states {input:q} --corpus {wildcards.corpus:q} "
        "--model {wildcards.model:q} {params.aligned} --output {output:q} > {log:q} 2>&1"


rule measure_separability_after:
    """The same after a fine-tuning. Its states are not kept."""
    input:
        encoder=f"{results}/models/{{model}}",
        weights=f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/model.safetensors",
        record=f"{results}/runs/{{recipe}}/{{model}}/{{task}}/seed{{seed}}/run.json",
        tokens=model_tokens(f"{results}/tokens/{{tokenizer}}/corpora/{{corpus}}"),
    output:
        f"{results}/separability/{{corpus}}/after/{{recipe}}/{{model}}/{{task}}/seed{{seed}}.parquet",
    log:
        f"{results}/logs/measure_separability_after/{{corpus}}.{{recipe}}.{{model}}.{{task}}.seed{{seed}}.log",
    wildcard_constraints:
        model=one_of(study.settings.model_catalog),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=by_model(2000, 16000),
        runtime=growing(60),
        gpu=min(1, study.settings.gpus),
        runs_per_gpu=study.settings.runs_per_gpu,
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        languages=study.languages,
        length=study.settings.similarity_length,
        aligned=lambda wildcards: "--aligned" if wildcards.corpus == ALIGNED else "",
        code=digest("measure_separability_after"),
    shell:
        "python {params.scripts:q}/measure_separability_after.py {params.task:q} "
        "--gpus {resources.gpu} --runs-per-gpu {resources.runs_per_gpu} --encoder {input.encoder:q} --weights {input.weights:q} "
        "--record {input.record:q} --tokens {input.tokens:q} --languages {params.languages:q} --max-length {params.length} "
        "--corpus {wildcards.corpus:q} --recipe {wildcards.recipe:q} --model {wildcards.model:q} --seed {wildcards.seed} "
        "{params.aligned} --output {output:q} > {log:q} 2>&1"


rule merge_separability:
    """All models, before fine-tuning and after it, in one file."""
    input:
        lambda wildcards: study.separability(wildcards.corpus),
    output:
        f"{results}/separability/{{corpus}}.parquet",
    log:
        f"{results}/logs/merge_separability/{{corpus}}.log",
    wildcard_constraints:
        corpus=one_of(study.corpora),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        code=digest("merge"),
    shell:
        "python {params.scripts:q}/merge.py --tables {input:q} --output {output:q} > {log:q} 2>&1"


rule retrieve:
    """How often a sentence's nearest neighbour in another language is its translation, in every layer of a model."""
    input:
        states=expand(f"{results}/states/{{corpus}}/{{{{model}}}}.safetensors", corpus=study.corpora_of_retrieval),
        texts=expand(f"{results}/corpora/{{corpus}}", corpus=study.corpora_of_retrieval),
    output:
        f"{results}/retrieval/{{model}}.parquet",
    log:
        f"{results}/logs/retrieve/{{model}}.log",
    wildcard_constraints:
        model=one_of(study.models),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=by_model(2000, 8000),
        runtime=growing(60),
    params:
        scripts=scripts,
        corpora=study.corpora_of_retrieval,
        source=study.settings.source_language,
        code=digest("retrieve"),
    shell:
        "python {params.scripts:q}/retrieve.py --model {wildcards.model:q} --corpora {params.corpora:q} "
        "--states {input.states:q} --texts {input.texts:q} --source-language {params.source:q} --output {output:q} "
        "> {log:q} 2>&1"


rule merge_retrieval:
    """All models in one file."""
    input:
        study.retrieval(),
    output:
        f"{results}/{RETRIEVAL}",
    log:
        f"{results}/logs/merge_retrieval.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        code=digest("merge"),
    shell:
        "python {params.scripts:q}/merge.py --tables {input:q} --output {output:q} > {log:q} 2>&1"
