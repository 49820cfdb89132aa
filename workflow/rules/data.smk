# Corpora, and every task's examples as Parquet.


rule corpus:
    """Line-aligned text in every language, generated or the user's own."""
    input:
        # Ancient: `content` says whether they changed; their dates do not.
        ancient(lambda wildcards: options.corpus_files(wildcards.corpus)),
    output:
        directory(f"{results}/corpora/{{corpus}}"),
    log:
        f"{results}/logs/corpus/{{corpus}}.log",
    wildcard_constraints:
        corpus=one_of(study.corpora_of_text),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        flags=lambda wildcards: options.corpus(wildcards.corpus),
        content=lambda wildcards: options.corpus_content(wildcards.corpus),
        code=digest("corpus", frozenset({"mtbridge.data.world"} if study.settings.corpus else ())),
    shell:
        "python {params.scripts:q}/corpus.py --name {wildcards.corpus} {params.flags:q} --output {output:q} > {log:q} 2>&1"


rule examples_corpus:
    """Text of a task's test examples; aligned where the task's languages are translations of each other."""
    input:
        examples=lambda wildcards: f"{results}/data/{study.corpora_of_examples[wildcards.corpus][0]}/evaluation.parquet",
    output:
        directory(f"{results}/corpora/{{corpus}}"),
    log:
        f"{results}/logs/corpus/{{corpus}}.log",
    wildcard_constraints:
        corpus=one_of(study.corpora_of_examples),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        flags=lambda wildcards: options.corpus(wildcards.corpus),
        code=digest("corpus", frozenset({"mtbridge.data.world"})),
    shell:
        "python {params.scripts:q}/corpus.py --name {wildcards.corpus} --examples {input.examples:q} {params.flags:q} "
        "--output {output:q} > {log:q} 2>&1"


rule bitext:
    """Pairs of translations of one language and the source language, the user's or those of a table."""
    input:
        ancient(lambda wildcards: options.bitext_files(wildcards.corpus)),
    output:
        directory(f"{results}/corpora/{{corpus}}"),
    log:
        f"{results}/logs/corpus/{{corpus}}.log",
    wildcard_constraints:
        corpus=one_of(study.bitexts),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        flags=lambda wildcards: options.bitext(wildcards.corpus),
        content=lambda wildcards: options.bitext_content(wildcards.corpus),
        code=digest("bitext"),
    shell:
        "python {params.scripts:q}/bitext.py {params.flags:q} --output {output:q} > {log:q} 2>&1"


rule train_examples:
    """English train and English dev of a task. No other language is an input, so adding one retrains nothing."""
    input:
        ancient(lambda wildcards: options.example_files(wildcards.task, "train")),
    output:
        f"{results}/data/{{task}}/train.parquet",
    log:
        f"{results}/logs/examples/{{task}}.train.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        flags=lambda wildcards: options.examples(wildcards.task, "train"),
        content=lambda wildcards: options.example_content(wildcards.task, "train"),
        code=lambda wildcards: digest("examples", options.unused_readers(wildcards.task)),
    shell:
        "python {params.scripts:q}/examples.py --part train {params.task:q} {params.flags:q} --output {output:q} > {log:q} 2>&1"


rule train_examples_in:
    """Train of a task in a language that some way of adapting learns from beside English, or instead of it."""
    input:
        ancient(lambda wildcards: options.example_files(wildcards.task, "train", wildcards.language)),
    output:
        f"{results}/data/{{task}}/train.{{language}}.parquet",
    log:
        f"{results}/logs/examples/{{task}}.train.{{language}}.log",
    wildcard_constraints:
        task=one_of(study.settings.generation_tasks),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        flags=lambda wildcards: options.examples(wildcards.task, "train", wildcards.language),
        content=lambda wildcards: options.example_content(wildcards.task, "train", wildcards.language),
        code=lambda wildcards: digest("examples", options.unused_readers(wildcards.task)),
    shell:
        "python {params.scripts:q}/examples.py --part train {params.task:q} {params.flags:q} --output {output:q} > {log:q} 2>&1"


rule evaluation_examples:
    """Dev and test of a task in every language."""
    input:
        ancient(lambda wildcards: options.example_files(wildcards.task, "evaluation")),
    output:
        f"{results}/data/{{task}}/evaluation.parquet",
    log:
        f"{results}/logs/examples/{{task}}.evaluation.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        task=lambda wildcards: options.task(wildcards.task),
        flags=lambda wildcards: options.examples(wildcards.task, "evaluation"),
        content=lambda wildcards: options.example_content(wildcards.task, "evaluation"),
        code=lambda wildcards: digest("examples", options.unused_readers(wildcards.task)),
    shell:
        "python {params.scripts:q}/examples.py --part evaluation {params.task:q} {params.flags:q} --output {output:q} "
        "> {log:q} 2>&1"
