# What the scores say: contrasts with verdicts, and a ranking.


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
