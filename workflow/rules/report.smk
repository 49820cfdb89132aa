# Tables, figures and the page. They only show results that are there, so making them again takes seconds.


rule table:
    """A table of the catalog."""
    input:
        files=catalog_inputs,
        reference=published_values,
    output:
        **{suffix: catalog_output("table", suffix) for suffix in catalog.SUFFIXES["table"]},
    log:
        f"{results}/logs/table/{{view}}{{name}}.log",
    wildcard_constraints:
        name=one_of(catalog.names("table")),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        protocol=lambda wildcards: study.protocol(wildcards.view),
        inputs=catalog_place,
        reference=lambda wildcards, input: [f"--reference={path}" for path in input.get("reference", [])],
        caption=catalog_caption,
        code=catalog_code,
    shell:
        "python {params.scripts:q}/table.py --name {wildcards.name:q} --study {params.outline:q} --protocol {params.protocol:q} "
        "--inputs {params.inputs:q} {params.reference:q} --csv {output.csv:q} --md {output.md:q} --tex {output.tex:q} > {log:q} 2>&1"


rule figure:
    """A figure of the catalog, for a screen and at the widths of a paper."""
    input:
        files=catalog_inputs,
        reference=published_values,
    output:
        **{suffix.replace(".", "_"): catalog_output("figure", suffix) for suffix in catalog.SUFFIXES["figure"]},
    log:
        f"{results}/logs/figure/{{view}}{{name}}.log",
    wildcard_constraints:
        name=one_of(catalog.names("figure")),
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        protocol=lambda wildcards: study.protocol(wildcards.view),
        inputs=catalog_place,
        reference=lambda wildcards, input: [f"--reference={path}" for path in input.get("reference", [])],
        caption=catalog_caption,
        code=catalog_code,
    shell:
        "python {params.scripts:q}/figure.py --name {wildcards.name:q} --study {params.outline:q} --protocol {params.protocol:q} "
        "--inputs {params.inputs:q} {params.reference:q} --png {output.png:q} --svg {output.svg:q} --pdf {output.pdf:q} "
        "--page-pdf {output.page_pdf:q} --page-png {output.page_png:q} "
        "--column-pdf {output.column_pdf:q} --column-png {output.column_png:q} --csv {output.csv:q} > {log:q} 2>&1"


rule page:
    """The report: the whole study on one page."""
    input:
        catalog_files(entry for entry in catalog.ENTRIES if entry.section),
        verdict_files(),
        requirements.languages_alike(study),
        study.paths("runs/{recipe}/{model}/{task}/seed{seed}/run.json", study.runs),
        study.paths(RUN_REPLICATES, study.runs_with_scores),
        study.paths("models/{model}", study.each_model),
        study.paths("checkpoints/{model}", study.each_trained),
        study.paths(RUN_SCORES, study.runs_with_scores),
        template=from_here("workflow/report/index.html.j2"),
        parts=[from_here(f"workflow/report/{name}") for name in ("page.css", "page.js")],
    output:
        report(
            f"{results}/report/index.html",
            caption="../report/captions/report.rst",
            category="The page",
            labels={"title": "the whole study on one page"},
        ),
    log:
        f"{results}/logs/report.log",
    conda:
        "../../envs/environment.yaml"
    params:
        scripts=scripts,
        outline=outline,
        protocols=study.protocols,
        shown=[entry.name for entry in catalog.ENTRIES if entry.section and entry.exists(study)],
        results=lambda wildcards, output: os.path.dirname(os.path.dirname(output[0])),
        code=digest("report"),
    shell:
        "python {params.scripts:q}/report.py --study {params.outline:q} --results {params.results:q} "
        "--protocols {params.protocols:q} --shown {params.shown:q} --template {input.template:q} --output {output:q} > {log:q} 2>&1"
