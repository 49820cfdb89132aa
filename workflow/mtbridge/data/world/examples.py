"""The tasks of the generated world: eight with labels, as in XGLUE, three of writing, and one of answers that
stand in a text; their examples in a language.

Everything is drawn in meanings first and put into a language afterwards, so a corpus's lines and a task's evaluation
examples are translations of each other, and no language depends on which others are asked for. A task's examples are
drawn in order: a smaller count is a prefix of a larger one.
"""

import random
from collections.abc import Iterator

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.world import classification, entailment, pairs, search, tagging, writing
from mtbridge.data.world.answers import Answer
from mtbridge.data.world.drawing import World
from mtbridge.data.world.lexicon import TOPICS
from mtbridge.data.world.realise import check_language, line, words
from mtbridge.data.world.sentences import Example, Sentence
from mtbridge.specs.task import SPLITS, Task
from mtbridge.tasks.kinds import START, kind_of

TASKS = {
    task.name: task
    for task in (
        Task("nc", "classification", TOPICS, "accuracy", ("title", "body")),
        Task("xnli", "pair", entailment.LABELS, "accuracy", ("premise", "hypothesis")),
        Task("paws-x", "pair", ("0", "1"), "accuracy", ("sentence1", "sentence2")),
        Task("qam", "pair", ("0", "1"), "accuracy", ("question", "passage")),
        Task(
            "qadsm",
            "pair",
            ("Bad", "Good"),
            "accuracy",
            ("query", "title", "description"),
            (("query",), ("title", "description")),
        ),
        Task(
            "wpr",
            "ranking",
            ("0", "1", "2", "3", "4"),
            "ndcg",
            ("query", "title", "snippet"),
            (("query",), ("title", "snippet")),
        ),
        Task("ner", "tagging", tagging.ENTITIES, "entity_f1"),
        Task("pos", "tagging", tagging.UPOS, "tagging_accuracy"),
    )
}
WRITING = {name: Task(name, "generation", (), "chrf", ("text",)) for name in ("event", "lead")}
WRITING["qa"] = Task("qa", "generation", (), "f1", ("question", "text"))
MARKING = {"answer": Task("answer", "extraction", (), "answer_f1", ("question", "text"))}
# What draws a task's examples, without end.
GENERATORS = {
    "nc": classification.nc,
    "xnli": entailment.xnli,
    "paws-x": pairs.paws_x,
    "qam": pairs.qam,
    "qadsm": search.qadsm,
    "wpr": search.wpr,
    "ner": tagging.ner,
    "pos": tagging.pos,
    "event": writing.event,
    "lead": writing.lead,
    "qa": writing.qa,
    "answer": writing.qa,
}


def draw_examples(task: str, split: str, count: int, seed: int) -> Iterator[Example]:
    """A task's first `count` examples, before they are put into a language.

    Raises MtbridgeError for an unknown task or split.
    """
    if task not in GENERATORS:
        raise MtbridgeError(f"the generated world has no task '{task}'; {nearest(task, GENERATORS)}")
    if split not in SPLITS:
        raise MtbridgeError(f"the generated world has no split '{split}' of {task}; {nearest(split, SPLITS)}")
    generator = GENERATORS[task](World(split, random.Random(f"{task}/{split}/{seed}")))
    for _ in range(count):
        yield next(generator)


def examples(task: str, split: str, language: str, count: int, seed: int) -> list[dict]:
    """Labelled examples of a task in a language, as dicts: example_id, the task's columns, label.

    Tagging: `tokens` and `label` are lists of equal length; otherwise the label is a string, in writing one of the
    language. The task `answer` has answer_start too, the first character of the label in `text`. The same example_id
    has the same meaning in every language. train, dev and test share no meaning with each other or with any corpus.
    Raises MtbridgeError for an unknown task, split or language.
    """
    check_language(language)
    declared, rows = {**TASKS, **WRITING, **MARKING}, []
    for index, (columns, label) in enumerate(draw_examples(task, split, count, seed)):
        row: dict[str, object] = {"example_id": f"{index:06d}"}
        if kind_of(declared[task]).per_word:
            (sentence,) = columns[0]
            tagged = words(sentence.meaning, language, sentence.form)
            row["tokens"] = [word for word, _, _ in tagged]
            row["label"] = [tag if task == "pos" else entity for _, tag, entity in tagged]
        else:
            for name, sentences in zip(declared[task].columns, columns, strict=True):
                row[name] = " ".join(line(sentence.meaning, language, sentence.form) for sentence in sentences)
            if kind_of(declared[task]).spans:
                assert isinstance(label, Answer)
                row["label"], row[START] = _marked(label, columns[-1], language)
            else:
                row["label"] = _label(label, language)
        rows.append(row)
    return rows


def _label(label: str | Sentence | Answer | None, language: str) -> str | None:
    """A label; where a text is to be written, that text."""
    if isinstance(label, Sentence):
        return line(label.meaning, language, label.form)
    return label.line(language) if isinstance(label, Answer) else label


def _marked(answer: Answer, sentences: tuple[Sentence, ...], language: str) -> tuple[str, int]:
    """An answer as it stands in a text of sentences, one of which tells its deed, and its first character there."""
    lines = [line(sentence.meaning, language, sentence.form) for sentence in sentences]
    telling = next(at for at, sentence in enumerate(sentences) if sentence.meaning == answer.meaning)
    words = answer.line(language)
    # In lower case, because the answer by itself begins with a capital letter.
    start = len("".join(f"{one} " for one in lines[:telling])) + lines[telling].lower().index(words.lower())
    return " ".join(lines)[start : start + len(words)], start
