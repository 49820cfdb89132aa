# What the scores say: contrasts with verdicts, and a ranking; and how hidden states go with them.


rule contrasts:
    """Contrasts of models and recipes with their verdicts, and a ranking of the models."""
    input:
        study.paths(RUN_SCORES, study.runs_with_scores),
        study.paths(RUN_REPLICATES, study.runs_with_scores),
    output:
        contrasts=f"{results}/inference/contrasts.parquet",
        ranking=f"{results}/inference/ranking.parquet",
    log:
        f"{results}/logs/contrasts.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        scores=lambda wildcards: f"{results}/scores",
        outline=outline,
        code=digest("contrasts"),
    shell:
        "python {params.scripts:q}/contrasts.py --study {params.outline:q} --scores {params.scores:q} "
        "--contrasts {output.contrasts:q} --ranking {output.ranking:q} > {log:q} 2>&1"


rule mechanism:
    """How far languages lie apart in hidden states against what models are compared with, and beside transfer."""
    input:
        separability=f"{results}/separability/{study.corpus_of(study.view(study.protocol_of_states))}.parquet",
        contrasts=f"{results}/{CONTRASTS}",
    output:
        differences=f"{results}/{SEPARABILITY}",
        slopes=f"{results}/{SLOPES}",
    log:
        f"{results}/logs/mechanism.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        protocol=study.protocol_of_states,
        code=digest("mechanism"),
    shell:
        "python {params.scripts:q}/mechanism.py --study {params.outline:q} --protocol {params.protocol:q} "
        "--separability {input.separability:q} --contrasts {input.contrasts:q} --differences {output.differences:q} "
        "--slopes {output.slopes:q} > {log:q} 2>&1"


rule summarise_translations:
    """BLEU and chrF of every direction, and their means, with intervals."""
    input:
        study.paths(requirements.TRANSLATION_SCORES, study.each_translating),
    output:
        f"{results}/{requirements.TRANSLATION}",
    log:
        f"{results}/logs/summarise_translations.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        translations=lambda wildcards, input: os.path.dirname(input[0]),
        code=digest("summarise_translations"),
    shell:
        "python {params.scripts:q}/summarise_translations.py --study {params.outline:q} "
        "--translations {params.translations:q} --output {output:q} > {log:q} 2>&1"


rule compare_translators:
    """How well models translate, beside their zero-shot scores."""
    input:
        unpack(lambda wildcards: requirements.of_translators(study)),
    output:
        f"{results}/{requirements.TRANSLATORS}",
    log:
        f"{results}/logs/compare_translators.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        protocol=study.protocols[0],
        scores=lambda wildcards, input: ["--scores", f"{results}/scores"] if "scores" in input.keys() else [],
        generation=lambda wildcards, input: [f"--generation={path}" for path in input.get("generation", [])],
        code=digest("compare_translators"),
    shell:
        "python {params.scripts:q}/compare_translators.py --study {params.outline:q} --protocol {params.protocol:q} "
        "--translation {input.translation:q} {params.scores:q} {params.generation:q} --output {output:q} > {log:q} 2>&1"


rule ledger:
    """The ledger: the paper's claims, by the published tables and by this study's results."""
    input:
        **requirements.of_claims(study),
        published=[
            from_here(f"workflow/reference/{name}.csv") for name in ("table1", "table2", "table4", "table5", "figure2")
        ],
    output:
        f"{results}/{requirements.CLAIMS}",
    log:
        f"{results}/logs/ledger.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        protocol=study.protocol_of_states,
        published=lambda wildcards, input: os.path.dirname(input.published[0]),
        files=lambda wildcards, input: ledger_options(input),
        code=digest("ledger"),
    shell:
        "python {params.scripts:q}/ledger.py --published {params.published:q} --study {params.outline:q} "
        "--protocol {params.protocol:q} {params.files:q} --output {output:q} > {log:q} 2>&1"
