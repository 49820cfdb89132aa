"""Questions and answers in the JSON of SQuAD (Rajpurkar et al. 2016), which XQuAD, MLQA and others have too.

    {"data": [{"title": …, "paragraphs": [{"context": …, "qas": [
        {"id": …, "question": …, "answers": [{"text": …, "answer_start": …}]}]}]}]}

A task on them has some of the columns question, context, answer and title, and writes what is not among them: with
`question` the answer, with `answer` the question. Of an extraction, question and context, the answer is marked. All
answers of a question are references, the first one is the label; as a column, `answer` is the first one. A question's
id is its own; where questions share an id, the later ones have a number behind it.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.readers.tables import unique_keys
from mtbridge.tasks.kinds import START, kind_of

COLUMNS = ("question", "context", "answer", "title")


@dataclass(frozen=True)
class Question:
    """A question, its context and its answers, each text once; where the first begins, as the file says; the number of
    its article; whether they all stand where the file says."""

    id: str
    question: str
    context: str
    title: str
    answers: list[str]
    start: int | None
    article: int
    in_place: bool


def read_questions(
    text: str, path: str, task: Any, drop_impossible: bool, keep: Callable[[int], bool] = lambda article: True
) -> tuple[dict[str, list], Callable[..., str]]:
    """The examples of a file: columns example_id, the task's own, label (all answers, or the question); `place(row)`.

    Args:
        text: of the file; path: its place for messages.
        drop_impossible: leave out questions without an answer, as SQuAD 2 has them; otherwise they are an error.
        keep: which articles, by their number in the file.

    Raises:
        MtbridgeError: the file has another form, a question has no answer, or an answer does not stand in its context;
            the message names the file, and the question by its id.
    """
    label = _label_of(task)
    found = list(_questions(_parse(text, path), path))
    _note_misplaced(found, path)
    impossible = [question for question in found if not question.answers]
    if impossible and not drop_impossible:
        raise MtbridgeError(
            f"{path}: the question '{impossible[0].id}' has no answer, as {len(impossible)} of {len(found)} here; take "
            "a file without them, or with source.kind: squad leave them out by impossible: drop"
        )
    if impossible:
        what = "questions without an answer, left out, the first"
        print(f"{path}: {len(impossible)} of {len(found)} {what} '{impossible[0].id}'", file=sys.stderr)
    ids = _unique_ids(found, path)
    kept = [row for row, question in enumerate(found) if question.answers and keep(question.article)]
    columns: dict[str, list] = {"example_id": [ids[row] for row in kept]}
    for name in task.columns:
        columns[name] = [_column(found[row], name) for row in kept]
    columns["label"] = [found[row].answers if label == "answer" else found[row].question for row in kept]
    if kind_of(task).spans:
        columns[START] = [found[row].start for row in kept]
    names = columns["example_id"]
    return columns, lambda row, word=0: f"{path}: question '{names[row]}'" if row < len(names) else path


def _label_of(task: Any) -> str:
    """What a task on such a file writes: answer or question."""
    where = f"task {task.name}: columns"
    if odd := [name for name in task.columns if name not in COLUMNS]:
        raise MtbridgeError(f"{where}: a file of questions has no '{odd[0]}'; {nearest(odd[0], COLUMNS)}")
    if ("question" in task.columns) == ("answer" in task.columns):
        raise MtbridgeError(
            f"{where}: name `question` where the answer is to be written, `answer` where the question is; one of them"
        )
    return "answer" if "question" in task.columns else "question"


def _column(question: Question, name: str) -> str:
    return question.answers[0] if name == "answer" else str(vars(question)[name])


def _parse(text: str, path: str) -> Any:
    """The articles of a file."""
    try:
        value = json.loads(text, object_pairs_hook=unique_keys)
        json.dumps(value, ensure_ascii=False).encode()  # half of a character is no text
    except json.JSONDecodeError as error:
        raise MtbridgeError(
            f"{path}:{error.lineno}: not JSON ({error.msg}); expected a file in SQuAD's format: get it again"
        ) from error
    except (ValueError, RecursionError) as error:
        raise MtbridgeError(f"{path}: {error}; expected a file in SQuAD's format: get it again") from error
    articles = value.get("data") if isinstance(value, dict) else None
    if not isinstance(articles, list) or not articles:
        raise MtbridgeError(f'{path}: no list of articles; expected SQuAD\'s format, {{"data": [{{"paragraphs": …')
    return articles


def _questions(articles: list, path: str) -> Iterator[Question]:
    """All questions of the articles, in file order; the answers of impossible ones are none."""
    number = 0
    for at, article in enumerate(articles):
        title = article.get("title", "") if isinstance(article, dict) else ""
        for block, paragraph in enumerate(_list(article, "paragraphs", f"{path}: data[{at}]")):
            where = f"{path}: data[{at}].paragraphs[{block}]"
            context = _text(paragraph, "context", where)
            for entry in _list(paragraph, "qas", where):
                number += 1
                own = entry.get("id") if isinstance(entry, dict) else None
                if not isinstance(own, str | int) or isinstance(own, bool) or str(own) == "":
                    raise MtbridgeError(f"{where}: question {number} of the file has no id; expected a text")
                place = f"{path}: question '{own}'"
                question = _text(entry, "question", place)
                impossible = entry.get("is_impossible", False)
                if not isinstance(impossible, bool):
                    raise MtbridgeError(f"{place}: is_impossible is {impossible!r:.20}; expected true or false")
                answers = [] if impossible else _list(entry, "answers", place)
                texts = [_answer(answer, context, place) for answer in answers]
                in_place = all(_stands(answer, context) for answer in answers)
                once = list(dict.fromkeys(texts))
                start = answers[0].get("answer_start") if answers else None
                if isinstance(start, list | dict):
                    raise MtbridgeError(f"{place}: answer_start is {start!r:.40}; expected the number of a character")
                yield Question(str(own), question, context, str(title), once, start, at, in_place)


def _list(value: Any, key: str, place: str) -> list:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise MtbridgeError(f"{place}: no list '{key}'; expected SQuAD's format")
    return found


def _text(value: Any, key: str, place: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, str) or not found.strip():
        raise MtbridgeError(f"{place}: no text '{key}'; expected SQuAD's format")
    return found


def _answer(answer: Any, context: str, place: str) -> str:
    """The text of an answer, which must stand in the context."""
    text = _text(answer, "text", f"{place}, an answer")
    if text.strip() not in context:
        raise MtbridgeError(
            f"{place}: the answer '{text[:40]}' does not stand in its context; mend one of them, or read answers in "
            "other words as a table (source.kind: datasets)"
        )
    return text


def _stands(answer: dict, context: str) -> bool:
    """Does an answer stand where the file says? A file that does not say it is taken at its word."""
    start = answer.get("answer_start")
    return not isinstance(start, int) or start < 0 or context[start:].startswith(answer["text"])


def _note_misplaced(found: list[Question], path: str) -> None:
    """Tell on stderr of answers that stand elsewhere in the context than the file says. Nothing depends on it."""
    if odd := [question for question in found if not question.in_place]:
        what = "questions have an answer that stands elsewhere in the context than `answer_start` says, the first"
        print(f"{path}: {len(odd)} of {len(found)} {what} '{odd[0].id}'", file=sys.stderr)


def _unique_ids(found: list[Question], path: str) -> list[str]:
    """The ids of questions; of those that share one the later ones are numbered, and told of on stderr.

    Raises:
        MtbridgeError: a question stands in the file twice, with the same context and answers.
    """
    ids: list[str] = []
    before: dict[str, list[Question]] = {}
    taken = {question.id for question in found}
    for question in found:
        same = before.setdefault(question.id, [])
        if any((one.question, one.context, one.answers) == _content(question) for one in same):
            raise MtbridgeError(f"{path}: the question '{question.id}' stands here twice; delete one")
        same.append(question)
        name = question.id if len(same) == 1 else f"{question.id}#{len(same)}"
        if len(same) > 1 and name in taken:
            raise MtbridgeError(f"{path}: '{name}' is the id of one question, and would be that of another; rename it")
        ids.append(name)
    if len(before) < len(found):
        first = next(name for name, same in before.items() if len(same) > 1)
        what = "questions have the id of an earlier one and are numbered, as in"
        print(f"{path}: {len(found) - len(before)} of {len(found)} {what} '{first}#2'", file=sys.stderr)
    return ids


def _content(question: Question) -> tuple[str, str, list[str]]:
    return question.question, question.context, question.answers
