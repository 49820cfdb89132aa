# Results in exchange formats. They are made when they are asked for: `snakemake exchange model_cards`.


rule exchange:
    """Every score as JSON Lines in the schema of Every Eval Ever."""
    input:
        targets.sources(study),
        tables=targets.tables(study, study.protocols),
    output:
        f"{results}/{targets.RECORDS.path}",
    log:
        f"{results}/logs/exchange.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        results=lambda wildcards, output: os.path.dirname(os.path.dirname(output[0])),
        tables=lambda wildcards, input: (
            ["--protocols", *study.protocols, "--tables", *input.tables] if input.tables else []
        ),
        code=digest("exchange"),
    shell:
        "python {params.scripts:q}/exchange.py --study {params.outline:q} --results {params.results:q} "
        "{params.tables:q} --output {output:q} > {log:q} 2>&1"


rule model_cards:
    """The metadata and the table of scores of a model card, for each model, by the study's first protocol."""
    input:
        targets.sources(study),
        table=targets.tables(study, study.protocols[:1]),
    output:
        [f"{results}/{targets.CARDS.path}".format(model=model) for model in study.settings.models],
    log:
        f"{results}/logs/model_cards.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        results=lambda wildcards, output: os.path.dirname(os.path.dirname(output[0])),
        protocol=study.protocols[0],
        table=lambda wildcards, input: [f"--table={path}" for path in input.table],
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        code=digest("model_cards"),
    shell:
        "python {params.scripts:q}/model_cards.py --study {params.outline:q} --results {params.results:q} "
        "--protocol {params.protocol:q} {params.table:q} --output {params.folder:q} > {log:q} 2>&1"
