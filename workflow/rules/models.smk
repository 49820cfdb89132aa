# Tokenizers, checkpoints (from the Hub or trained here), and the encoders that all later steps read.


rule tokenizer:
    """One tokenizer for all languages."""
    input:
        corpus=f"{results}/corpora/pretraining",
    output:
        directory(f"{results}/tokenizers/{{tokenizer}}"),
    log:
        f"{results}/logs/tokenizer/{{tokenizer}}.log",
    wildcard_constraints:
        tokenizer=one_of(study.trained_tokenizers),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        scripts=scripts,
        languages=options.tokenizer(),
        vocabulary=lambda wildcards: options.vocabulary(wildcards.tokenizer),
        code=digest("tokenizer"),
    shell:
        "python {params.scripts:q}/tokenizer.py --corpus {input.corpus:q} {params.languages:q} "
        "{params.vocabulary:q} --output {output:q} > {log:q} 2>&1"


rule import_tokenizer:
    """A published model's own tokenizer, in the same format as ours."""
    input:
        checkpoint=lambda wildcards: checkpoint(study.own_tokenizers[wildcards.tokenizer]),
    output:
        directory(f"{results}/tokenizers/{{tokenizer}}"),
    log:
        f"{results}/logs/import_tokenizer/{{tokenizer}}.log",
    wildcard_constraints:
        tokenizer=one_of(study.own_tokenizers),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        flags=lambda wildcards: options.import_tokenizer(wildcards.tokenizer),
        content=lambda wildcards: options.checkpoint_content(study.own_tokenizers[wildcards.tokenizer]),
        code=digest("import_tokenizer"),
    shell:
        "python {params.scripts:q}/import_tokenizer.py --checkpoint {input.checkpoint:q} {params.flags:q} --output {output:q} "
        "> {log:q} 2>&1"


rule corpus_tokens:
    """A corpus as token ids, once for each tokenizer."""
    input:
        corpus=f"{results}/corpora/{{corpus}}",
        tokenizer=f"{results}/tokenizers/{{tokenizer}}",
    output:
        directory(f"{results}/tokens/{{tokenizer}}/corpora/{{corpus}}"),
    log:
        f"{results}/logs/corpus_tokens/{{tokenizer}}.{{corpus}}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        languages=lambda wildcards: study.languages_of(wildcards.corpus),
        code=digest("corpus_tokens"),
    shell:
        "python {params.scripts:q}/corpus_tokens.py --corpus {input.corpus:q} --languages {params.languages:q} "
        "--tokenizer {input.tokenizer:q} --output {output:q} > {log:q} 2>&1"


rule fetch_model:
    """A published checkpoint, checked against commit and checksums in the lock file beside the preset."""
    output:
        directory(f"{results}/checkpoints/{{model}}"),
    log:
        f"{results}/logs/fetch_model/{{model}}.log",
    wildcard_constraints:
        model=one_of(study.models_from("hub")),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        flags=lambda wildcards: options.fetch(wildcards.model),
        content=lambda wildcards: options.checkpoint_content(wildcards.model),
        code=digest("fetch_model"),
    shell:
        "python {params.scripts:q}/fetch_model.py {params.flags:q} --output {output:q} > {log:q} 2>&1"


rule pretrain:
    """Pretrain a small model from scratch, or continue the pretraining of another model."""
    input:
        unpack(pretraining_inputs),
    output:
        directory(f"{results}/checkpoints/{{model}}"),
    log:
        f"{results}/logs/pretrain/{{model}}.log",
    wildcard_constraints:
        model=one_of(study.models_from("trained")),
    # Long jobs first: the base of a continued model begins the longest chain of jobs.
    priority: 10
    conda:
        "../../envs/environment.yaml"
    threads: study.settings.pretraining.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        state_every=str(study.settings.checkpoint_minutes),
    params:
        scripts=scripts,
        flags=lambda wildcards: options.pretrain(wildcards.model),
        base=checkpoint_flags("base"),
        match=checkpoint_flags("match"),
        content=lambda wildcards: options.checkpoint_content(study.settings.model_catalog[wildcards.model].base),
        state=f"{results}/unfinished/pretraining/{{model}}",
        code=digest("pretrain"),
    shell:
        "python {params.scripts:q}/pretrain.py --corpus {input.corpus:q} --tokenizer {input.tokenizer:q} {params.base:q} "
        "{params.match:q} {params.flags:q} --identity {params.code} --state {params.state:q} "
        "--state-every {resources.state_every} --threads {threads} --output {output:q} > {log:q} 2>&1"


rule translate:
    """Translations of a test set in every direction in which a model translates."""
    input:
        checkpoint=checkpoint_of,
        tokenizer=tokenizer_of,
        texts=f"{results}/corpora/{study.translation_test}",
    output:
        f"{results}/translation/{{model}}.parquet",
    log:
        f"{results}/logs/translate/{{model}}.log",
    wildcard_constraints:
        model=one_of(row["model"] for row in study.each_translating),
    conda:
        "../../envs/environment.yaml"
    threads: study.settings.threads
    resources:
        mem_mb=by_model(2000, 16000),
        runtime=by_model(60, 1440),
        gpu=min(1, study.settings.gpus),
        runs_per_gpu=study.settings.runs_per_gpu,
    params:
        scripts=scripts,
        flags=lambda wildcards: options.translation(wildcards.model),
        source_language=study.settings.source_language,
        content=lambda wildcards: options.checkpoint_content(wildcards.model),
        code=digest("translate"),
    shell:
        "python {params.scripts:q}/translate.py --gpus {resources.gpu} --runs-per-gpu {resources.runs_per_gpu} --checkpoint {input.checkpoint:q} --tokenizer {input.tokenizer:q} "
        "--texts {input.texts:q} {params.flags:q} --source-language {params.source_language:q} --threads {threads} "
        "--output {output:q} > {log:q} 2>&1"


rule score_translations:
    """What BLEU and chrF count in every translation."""
    input:
        f"{results}/translation/{{model}}.parquet",
    output:
        f"{results}/translation/{{model}}.scores.parquet",
    log:
        f"{results}/logs/score_translations/{{model}}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        code=digest("score_translations"),
    shell:
        "python {params.scripts:q}/score_translations.py --translations {input:q} --output {output:q} > {log:q} 2>&1"


rule encoder:
    """The encoder of a checkpoint, in one format for all families."""
    input:
        checkpoint=checkpoint_of,
        tokenizer=tokenizer_of,
    output:
        directory(f"{results}/models/{{model}}"),
    log:
        f"{results}/logs/encoder/{{model}}.log",
    wildcard_constraints:
        model=one_of(study.models_with_checkpoints),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=by_model(2000, 16000),
        runtime=growing(60),
    params:
        scripts=scripts,
        flags=lambda wildcards: options.encoder(wildcards.model),
        content=lambda wildcards: options.checkpoint_content(wildcards.model),
        code=digest("encoder"),
    shell:
        "python {params.scripts:q}/encoder.py --checkpoint {input.checkpoint:q} --tokenizer {input.tokenizer:q} {params.flags:q} "
        "--output {output:q} > {log:q} 2>&1"


rule untrained:
    """The twin of a checkpoint's encoder whose weights are drawn anew."""
    input:
        checkpoint=checkpoint_of,
        tokenizer=tokenizer_of,
    output:
        directory(f"{results}/models/{{model}}"),
    log:
        f"{results}/logs/untrained/{{model}}.log",
    wildcard_constraints:
        model=one_of(study.models_from("untrained")),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=by_model(2000, 16000),
        runtime=growing(60),
    params:
        scripts=scripts,
        flags=lambda wildcards: options.untrained(wildcards.model),
        content=lambda wildcards: options.checkpoint_content(wildcards.model),
        code=digest("untrained"),
    shell:
        "python {params.scripts:q}/untrained.py --checkpoint {input.checkpoint:q} --tokenizer {input.tokenizer:q} {params.flags:q} "
        "--output {output:q} > {log:q} 2>&1"


rule derive:
    """An encoder put together from the weights of two: whose singular values, whose vectors, or how far between."""
    input:
        base=lambda wildcards: f"{results}/models/{study.settings.model_catalog[wildcards.model].base}",
        other=lambda wildcards: f"{results}/models/{study.settings.model_catalog[wildcards.model].other}",
    output:
        directory(f"{results}/models/{{model}}"),
    log:
        f"{results}/logs/derive/{{model}}.log",
    wildcard_constraints:
        model=one_of(study.models_from("derived")),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=by_model(2000, 16000),
        runtime=growing(60),
    params:
        scripts=scripts,
        flags=lambda wildcards: options.derive(wildcards.model),
        code=digest("derive"),
    shell:
        "python {params.scripts:q}/derive.py --base-encoder {input.base:q} --other-encoder {input.other:q} {params.flags:q} "
        "--output {output:q} > {log:q} 2>&1"
