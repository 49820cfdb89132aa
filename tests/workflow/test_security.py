"""What comes from the user's config and data stays text: for the shell, for the page, and in what is left behind."""

import shutil

import pandas as pd
import yaml

EVIL = """own $(touch x) `touch x` 'a' "b"; touch x; & # é"""


def test_paths_and_texts_with_anything_in_them_reach_programs_as_they_are(smoke):
    own = smoke.folder / EVIL
    sizes = ("--train", "20", "--dev", "5", "--test", "5", "--lines", "300")
    smoke.program("scripts/world.py", "--languages", "de", "en", *sizes, "--output", EVIL)
    shutil.copytree(smoke.path("checkpoints/mbart"), own / "checkpoint")
    good, bad = f"good {EVIL}", f"bad {EVIL}"
    for name in ("en.train", "en.dev", "en.test", "de.dev", "de.test"):
        rows = [{"text": f"{EVIL} {i}", "label": (good, bad)[i % 2]} for i in range(6)]
        pd.DataFrame(rows).to_csv(own / f"{name}.csv", index=False)
    reviews = {"kind": "classification", "metric": "accuracy", "columns": ["text"], "labels": [good, bad]}
    source = {"kind": "datasets", "path": f"{EVIL}/{{language}}.{{split}}.csv"}
    values = {
        "xglue": f"{EVIL}/xglue",
        "corpus": f"{EVIL}/text",
        "description": EVIL,
        "models": ["mine"],
        "tasks": ["pos", "reviews"],
        "task_catalog": {"reviews": reviews | {"source": source}},
        "model_catalog": {
            "mine": {
                "label": EVIL,
                "kind": "LM",
                "source": "local",
                "path": f"{EVIL}/checkpoint",
                "tokenizer": "shared",
            }
        },
        "tokenizers": {"shared": {"vocabulary": 1500}},
        "corpora": {"parallel": 40},
    }
    (smoke.folder / "evil.yaml").write_text(yaml.safe_dump(values))
    # Every rule that is told a text or a path; trainings are told of tasks in the same way as tokens are.
    targets = [
        f"results/evil/{target}"
        for target in (
            *("data/pos/train.parquet", "data/reviews/evaluation.parquet", "tables/table3.md", "models/mine"),
            *("tokens/shared/reviews/evaluation", "predictions/none/floor/reviews/seed0.parquet"),
        )
    ]
    smoke.snakemake(*targets, "--configfile", "evil.yaml", study="local", config=("name=evil",))
    data = pd.read_parquet(smoke.folder / "results/evil/data/reviews/evaluation.parquet")
    assert set(data.label) == {good, bad} and data.text.str.startswith(EVIL).all()
    assert not list(smoke.folder.rglob("x")), "a shell has run what a name said"
    assert smoke.plan(*targets, "--configfile", "evil.yaml", study="local", config=("name=evil",)) == {}
