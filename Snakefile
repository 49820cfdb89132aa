"""mtbridge: reads and checks the config, includes the rules, and defines the targets."""

from snakemake.utils import min_version

# The session uses attributes of Snakemake's workflow object (jobs to run, resources, the scheduler's rate limiter) that
# are internal; this version has them.
min_version("9.27")


report: "workflow/report/captions/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/generate.smk"
include: "workflow/rules/similarity.smk"
include: "workflow/rules/spectra.smk"
include: "workflow/rules/inference.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/exchange.smk"


remember()


rule all:
    default_target: True
    input:
        catalog_files(),
        all_scores(),
        f"{results}/report/index.html",


for entry in catalog.ENTRIES:

    rule:
        name:
            entry.name
        input:
            entry.outputs(study),
        localrule: True


rule report:
    input:
        f"{results}/report/index.html",


if workflow.is_main_process:
    try:
        session.check_targets(sys.argv[1:], [rule.name for rule in workflow.rules])
    except MtbridgeError as error:
        sys.exit(f"error: {error}")
