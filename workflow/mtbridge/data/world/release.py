"""The generated examples in the files of the XGLUE release, so that what reads the release can be tested on them."""

from mtbridge.base.files import atomic_write
from mtbridge.data.world import LANGUAGES
from mtbridge.data.world.examples import TASKS, examples
from mtbridge.tasks.kinds import kind_of

# The release has no label for the world's tenth subject; the files take the one that the world has no subject for.
NC_LABELS = {"technology": "video"}
_TABLES = {"nc": "NC", "qadsm": "QADSM", "wpr": "WPR", "qam": "QAM"}


def _tagged(rows) -> str:
    """`token label` lines with a blank line between sentences and, as in the release, none after the last."""
    blocks = ("\n".join(map(" ".join, zip(row["tokens"], row["label"], strict=True))) for row in rows)
    return "\n\n".join(blocks) + "\n"


def _table(rows, columns, header=None) -> str:
    lines = ["\t".join(header)] if header else []
    lines += ["\t".join(row[column] for column in columns) for row in rows]
    return "\n".join(lines) + "\n"


def _file(task, split, language):
    """Where the release keeps a part of a task."""
    if task in ("ner", "pos"):
        return f"{task.upper()}/{language}.{split}"
    if task == "xnli":
        return "XNLI/multinli.train.en.tsv" if split == "train" else f"XNLI/{language}.{split}"
    if task == "paws-x":
        return f"PAWSX/{language}/" + ("train.tsv" if split == "train" else f"{split}_2k.tsv")
    return f"{_TABLES[task]}/xglue.{task}.{language}.{split}"


def _content(task, split, rows) -> str:
    if kind_of(TASKS[task]).per_word:
        return _tagged(rows)
    columns = (*TASKS[task].columns, "label")
    if task == "nc":
        rows = [{**row, "label": NC_LABELS.get(row["label"], row["label"])} for row in rows]
    if task == "xnli" and split == "train":  # the English training file has a header and a spelling of its own
        spelling = {"contradiction": "contradictory"}
        rows = [{**row, "label": spelling.get(row["label"], row["label"])} for row in rows]
        return _table(rows, columns, ("premise", "hypo", "label"))
    if task == "paws-x":
        rows = [{**row, "id": str(number)} for number, row in enumerate(rows, 1)]
        return _table(rows, ("id", *columns), ("id", "sentence1", "sentence2", "label"))
    return _table(rows, columns)


def write_xglue(folder, sizes: dict[str, int], seed: int, languages=LANGUAGES) -> None:
    """Write all eight tasks under `folder` in the layout and formats of the XGLUE release.

    `sizes` maps train, dev and test to a number of examples. Training data are English; dev and test are written for
    every one of `languages`. The content is that of `examples(task, split, language, sizes[split], seed)`.
    """
    with atomic_write(folder) as temporary:
        for task in TASKS:
            for split, count in sizes.items():
                for language in ("en",) if split == "train" else languages:
                    path = temporary / _file(task, split, language)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    content = _content(task, split, examples(task, split, language, count, seed))
                    path.write_text(content, encoding="utf-8", newline="\n")
