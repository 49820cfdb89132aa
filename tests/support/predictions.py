"""Gold labels and predictions of every kind, as the tables that scoring reads."""

import numpy as np
import pyarrow as pa

from mtbridge.inference.scoring import Run, score
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of

UPOS = ("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ")
UPOS += ("SYM", "VERB", "X")
ENTITIES = ("O", *(f"{prefix}-{kind}" for kind in ("PER", "ORG", "LOC", "MISC") for prefix in "BI"))
PAIR = Task("xnli", "pair", ("entailment", "neutral", "contradiction"), "accuracy", ("premise", "hypothesis"))
NER = Task("ner", "tagging", ENTITIES, "entity_f1")
POS = Task("pos", "tagging", UPOS, "tagging_accuracy")
WPR = Task("wpr", "ranking", tuple("01234"), "ndcg", ("query", "title"))
STS = Task("sts", "regression", (), "pearson", ("sentence1", "sentence2"))


def tables(task, gold, predicted, scores=None, queries=None, language="en", split="test"):
    """Predictions and examples of one language and split, as the contract has them."""
    kind = kind_of(task)
    uniform = [1 / kind.head_size(task)] * kind.head_size(task)
    if scores is None and kind.per_word:
        scores = [[[] if word is None else uniform for word in sentence] for sentence in predicted]
    keys = {
        "language": [language] * len(gold),
        "split": [split] * len(gold),
        "example_id": [str(i) for i in range(len(gold))],
    }
    labels = pa.array(gold, kind.label_type())
    predictions = pa.table(
        keys
        | {
            "gold": labels,
            "predicted": pa.array(predicted, kind.label_type()),
            "scores": pa.array(scores or [uniform] * len(gold), kind.score_type()),
        }
    )
    return predictions, pa.table(keys | {"label": labels} | ({"query": queries} if queries else {}))


def scored(task, *arguments, **keywords):
    """{metric: its row}, replicates."""
    table, replicates = score(*tables(task, *arguments, **keywords), task, Run("sound", "mbert", 0))
    return {row["metric"]: row for row in table.to_pylist()}, replicates


def random_sentences(rng, labels, count, keep=0.6):
    """Gold sentences and predictions that agree in a share `keep` of the words."""
    gold = [list(rng.choice(labels, rng.integers(1, 9))) for _ in range(count)]
    return gold, [[w if rng.random() < keep else str(rng.choice(labels)) for w in sentence] for sentence in gold]


def random_ranking(rng, queries=60):
    texts, gold, scores = [], [], []
    for query in range(queries):
        for _ in range(rng.integers(1, 7)):
            texts.append(f"same_{query}")
            gold.append(str(rng.integers(5) if query % 7 else 0))
            scores.append(rng.dirichlet(np.ones(5)).astype(np.float32).tolist())
    return texts, gold, scores, [str(np.argmax(row)) for row in scores]
