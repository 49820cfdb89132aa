# Singular values, once for each checkpoint, and distances of weights to the base's.


rule singular_values:
    """Singular values of the matrices K, Q, V, Out, FC1 and FC2 of every layer."""
    input:
        f"{results}/models/{{model}}",
    output:
        f"{results}/spectra/{{model}}.npz",
    log:
        f"{results}/logs/singular_values/{{model}}.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=by_model(2000, 8000),
        runtime=growing(60),
    params:
        scripts=scripts,
        code=digest("singular_values"),
    shell:
        "python {params.scripts:q}/singular_values.py --model {input:q} --output {output:q} > {log:q} 2>&1"


rule weight_distances:
    """Distances of the same matrices to those of the model's base, and their parts."""
    input:
        model=f"{results}/models/{{model}}",
        base=base_encoder,
    output:
        f"{results}/spectra/{{model}}.distances.parquet",
    log:
        f"{results}/logs/weight_distances/{{model}}.log",
    wildcard_constraints:
        model=one_of(row["model"] for row in study.each_continued),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=by_model(2000, 8000),
        runtime=growing(60),
    params:
        scripts=scripts,
        code=digest("weight_distances"),
    shell:
        "python {params.scripts:q}/weight_distances.py --model {input.model:q} --base {input.base:q} --output {output:q} > {log:q} 2>&1"
