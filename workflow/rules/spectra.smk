# Singular values, once for each checkpoint. The tables compute distances to a base from them.


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
        code=digest("singular_values"),
    shell:
        "python {scripts:q}/singular_values.py --model {input:q} --output {output:q} > {log:q} 2>&1"
