"""Scores of single outputs against their references, and what is wrong with them.

Words are those of rule 1, see `tasks.words`.

    rouge_1, rouge_2  F1 of the n-grams that both texts have (Lin 2004)
    rouge_l           F1 of their longest common subsequence
    chrf              sacrebleu's, of the sentence (Popović 2015)
    exact_match       whether the words are the same: case, punctuation and white space do not count, articles do
    f1, exact_answer, f1_characters  of answers, see `tasks.answers`

All are in percent. Where several references are accepted, a measure is that of the one with the most points, as in
SQuAD's program.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mtbridge.tasks.answers import MEASURES, f1
from mtbridge.tasks.words import primary, words

# A text with fewer bytes of letters has no language that could be told: py3langid, which counts bytes too, is wrong on
# 14 % and more of FLORES's texts of 4 to 7 bytes, on 6 % of those of 8 to 11 (15 languages, 150 lines each).
FEWEST_BYTES = 8
FEWEST_BYTES_OF_LINES = 500  # of many texts together
LINES = 200  # of these, as many as are looked at
_LEFTOVER = re.compile(r"<[^<>\s]{1,20}>|<extra_id_\d+>|\[MASK\]|▁")  # sentinels, masks, marks of pieces


def rouge_n(output: Sequence[str], reference: Sequence[str], n: int) -> float:
    """F1 of n-grams, each as often as it occurs; two texts without any are alike if they are equal."""
    one, other = (Counter(zip(*(text[i:] for i in range(n)), strict=False)) for text in (output, reference))
    if not one and not other:
        return 100.0 * (list(output) == list(reference))
    return f1((one & other).total(), one.total(), other.total())


def rouge_l(output: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the longest common subsequence."""
    row = [0] * (len(reference) + 1)
    for word in output:
        previous = row
        row = [0]
        for place, other in enumerate(reference):
            row.append(previous[place] + 1 if word == other else max(row[place], previous[place + 1]))
    return f1(row[-1], len(output), len(reference))


def has_language(text: str) -> bool:
    """Whether a text has letters enough to tell its language."""
    return sum(len(letter.encode()) for letter in text if letter.isalpha()) >= FEWEST_BYTES


def script_of(text: str) -> str | None:
    """The script that most letters of a text belong to, by their Unicode names; None if it has no letter."""
    names = Counter(unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha())
    return names.most_common(1)[0][0] if names else None


class Identifier:
    """Says in which language a text is, by py3langid: of all that it knows, and of a study's languages alone."""

    def __init__(self, languages: Sequence[str]):
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        self.all = LanguageIdentifier.from_model_file(MODEL_FILE)
        self.own = LanguageIdentifier.from_model_file(MODEL_FILE)
        self.known = sorted({primary(language) for language in languages} & {str(label) for label in self.all.labels})
        if self.known:
            self.own.set_languages(self.known)

    def free(self, text: str) -> str | None:
        """The language, of all that the identifier knows; None if the text has no letter."""
        return str(self.all.classify(text)[0]) if script_of(text) else None

    def among(self, text: str, language: str) -> str | None:
        """The language, of the study's alone; None if the text is too short, or the expected one is not known.

        Languages count without script and region, which the identifier does not tell.
        """
        return str(self.own.classify(text)[0]) if primary(language) in self.known and has_language(text) else None

    def of_lines(self, lines: Sequence[str], language: str) -> str | None:
        """The language of many texts together, of the study's alone; None if they are too short to be sure, or the
        expected one is not known. It is right on all of FLORES's texts in 15 languages, by three lines or more."""
        text = "\n".join(lines[:LINES])
        enough = sum(len(letter.encode()) for letter in text if letter.isalpha()) >= FEWEST_BYTES_OF_LINES
        return self.among(text, language) if enough else None


def points(output: str, reference: str, language: str) -> dict[str, float]:
    """The measures of words of an output against one reference, in percent."""
    own, expected = words(output, language), words(reference, language)
    return {
        "rouge_1": rouge_n(own, expected, 1),
        "rouge_2": rouge_n(own, expected, 2),
        "rouge_l": rouge_l(own, expected),
        "exact_match": 100.0 * (own == expected),
        **{measure: of(output, reference, language) for measure, of in MEASURES.items()},
    }


def score_output(
    output: str, references: Sequence[str], source: str, language: str, identifier: Identifier
) -> dict[str, Any]:
    """The measures of one output in percent, and its faults as 0 or 1 (None: cannot be told).

    references: the texts that are accepted, the one that is expected first.

    wrong_language: the study's language that it is most likely in is another one. untold: that cannot be told, because
    it has too few letters, or the expected language is not known. other_script: most letters are of another script than
    those of every reference. copy: it is the whole input, but for case and punctuation. leftover: it holds a sentinel
    or a mask. An empty output is neither in a wrong language nor a copy.
    """
    from sacrebleu.metrics import CHRF

    found, of_reference = (identifier.among(text, language) for text in (output, references[0]))
    script, expected_scripts = script_of(output), {script_of(reference) for reference in references} - {None}
    each = [points(output, reference, language) for reference in references]
    own = words(output, language)
    return {
        "chrf": max(CHRF().sentence_score(output, [reference]).score for reference in references),
        **{measure: max(one[measure] for one in each) for measure in each[0]},
        "found": found,
        "found_free": identifier.free(output),
        "wrong_language": None if found is None else float(found != primary(language)),
        "untold": float(found is None),
        # What the identifier would say of a perfect output: its own error.
        "reference_wrong": None if of_reference is None else float(of_reference != primary(language)),
        "other_script": None if script is None or not expected_scripts else float(script not in expected_scripts),
        "empty": float(not output.strip()),
        "copy": float(bool(own) and own == words(source, language)),
        "leftover": float(bool(_LEFTOVER.search(output))),
    }


def score_outputs(outputs: Any, output: Any, languages: Sequence[str]) -> None:
    """Score the file of `writing.write_outputs`, and write a Parquet file with a row for each of its rows.

    Columns: language, split, example_id, those of `score_output`, cut and input_cut.

    languages: those that an output may be in, for the identifier.
    """
    import pandas as pd

    from mtbridge.base.files import read_parquet, write_parquet
    from mtbridge.base.program import begin_work

    columns = ["language", "split", "example_id", "input", "references", "output", "cut", "input_cut"]
    table = read_parquet(outputs, columns)
    identifier = Identifier(languages)
    begin_work()
    rows = [
        {
            **{"language": row.language, "split": row.split, "example_id": row.example_id},
            **score_output(row.output, list(row.references), row.input, row.language, identifier),
            **{"cut": float(row.cut), "input_cut": float(row.input_cut)},
        }
        for row in table.itertuples(index=False)
    ]
    write_parquet(pd.DataFrame(rows), output)
