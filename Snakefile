"""mtbridge: reads and checks the config, includes the rules, names the targets."""

from snakemake.utils import min_version

# The session looks into the workflow object (jobs to run, resources, the scheduler's job rate limiter), which is as in
# this version.
min_version("9.27")


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/similarity.smk"
include: "workflow/rules/spectra.smk"
include: "workflow/rules/report.smk"


remember()


rule all:
    default_target: True
    input:
        tables(1, 2, 3, 4, 5),
        figures(1, 2),
        all_scores(),
        side_tables(),
        f"{results}/report/index.html",


rule table1:
    input:
        tables(1),


rule table2:
    input:
        tables(2),


rule table3:
    input:
        tables(3),


rule table4:
    input:
        tables(4),


rule table5:
    input:
        tables(5),


rule figure1:
    input:
        figures(1),


rule figure2:
    input:
        figures(2),


rule report:
    input:
        f"{results}/report/index.html",
