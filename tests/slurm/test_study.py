"""The smoke study and a task of writing under the project's Slurm profile, from nothing to the report."""

import re

import pandas as pd

SMALL = (
    "study=smoke",
    "train=60",
    "dev=20",
    "test=20",
    "corpora={pretraining: 400, parallel: 30}",
    "model_catalog={mbart: {steps: 4}, mbart-m2m: {steps: 2}}",
    "tasks=[pos,event]",
    "task_catalog={event: {kind: generation, metric: chrf, columns: [text]}}",
    "adaptations={full: {epochs: 1, rates: [1.0e-3]}}",
    "decoding={longest: 12}",
    "recipes={default: {epochs: 1}}",
)


def test_the_smoke_study_runs_as_slurm_jobs_and_leaves_nothing_to_do(cluster, project, start):
    said = start(project, "--config", *SMALL).succeed(1500)
    assert set(pd.read_parquet(project.path("scores.parquet")).model) == {"mbart", "mbart-m2m", "floor"}
    assert set(pd.read_csv(project.path("tables/generation.csv")).model) == {"mbart", "mbart-m2m", "copy", "first"}
    assert project.path("report/index.html").exists()
    # What the queue saw: what trains, predicts or computes; not what takes seconds.
    run = re.search(r"SLURM run ID: (\S+)", said).group(1)
    comments = cluster.run("squeue", "--states=all", "--noheader", "--format=%T %k", "--name", run).splitlines()
    jobs = [re.match(r"(\w+) rule_([a-z_]+?)(_wildcards|$)", line).groups()[:2] for line in comments]
    assert {state for state, _ in jobs} == {"COMPLETED"}
    rules = [rule for _, rule in jobs]
    for rule in ("finetune", "predict", "adapt", "generate"):
        assert rules.count(rule) == 2, rule
    quick = {
        "score",
        "example_tokens",
        "train_examples",
        "figure",
        "page",
        "merge_similarity",
        "floor",
        "score_outputs",
    }
    assert not quick & set(rules)
    assert len(rules) < said.count("Finished jobid") / 2, "more than half of the jobs went through the queue"
    again = start(project, "-n", "--config", *SMALL).succeed(120)
    assert "Nothing to be done" in again
