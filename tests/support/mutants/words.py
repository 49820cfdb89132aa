"""Files with a word a line: changes of columns, lines, sentences and fields."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.mutants import content, tags
from tests.support.mutants.content import joined_lines
from tests.support.mutants.mutant import Mutant, mutant


@dataclass
class Words:
    """Sentences [sentence][word][column].

    roles: tokens, label, or "" for a column that is not read.
    entities: labels are IOB2.
    """

    sentences: list[list[list[str]]]
    roles: list[str]
    entities: bool
    mark: str = " "

    def examples(self) -> list[dict]:
        """The sentences as examples."""
        token, label = self.roles.index("tokens"), self.roles.index("label")
        kept = [sentence for sentence in self.sentences if sentence]
        found = [[word[label] for word in sentence] for sentence in kept]
        if self.entities:
            found = [tags.iob2(sentence) for sentence in found]
        return [
            {"tokens": [word[token] for word in sentence], "label": labels}
            for sentence, labels in zip(kept, found, strict=True)
        ]

    def lines(self) -> list[str]:
        """All lines; a blank one ends a sentence."""
        return [line for sentence in self.sentences for line in [*map(self.mark.join, sentence), ""]]

    def text(self) -> str:
        """The file."""
        return joined_lines(self.lines())

    def changed(self, sentences=None) -> Words:
        """A copy to change."""
        made = copy.deepcopy(self)
        made.sentences = made.sentences if sentences is None else sentences
        return made

    def every(self, change) -> Words:
        """A copy with every word's fields changed."""
        return self.changed([[change(list(word)) for word in sentence] for sentence in self.sentences])

    def one(self, rng: random.Random, change) -> Words:
        """A copy with the fields of one word changed."""
        made = self.changed()
        sentence = rng.choice(made.sentences)
        at = rng.randrange(len(sentence))
        sentence[at] = change(list(sentence[at]))
        return made


def changes(words: Words, rng: random.Random) -> Iterator[tuple[str, Mutant]]:
    """All changes of a file of words."""
    base = words.examples()
    yield "none", mutant("nothing", words.text(), base, must=True)
    for name, make in (
        ("columns", columns),
        ("rows", sentences),
        ("rows", lines),
        ("header", header),
        ("quoting", quoting),
        ("case", case),
        ("tags", schemes),
        ("comments", comments),
        ("blank lines", blank_lines),
        ("values", values),
        ("separators", separators),
        ("invisible", invisible),
    ):
        for made in make(words, base, rng):
            yield name, made
    for made in content.line_ends(words.text(), base, rng):
        yield "line ends", made
    for made in content.encodings(words.text(), base, rng):
        yield "encoding", made


def columns(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """A column more, less, or elsewhere."""
    width, label = len(words.roles), words.roles.index("label")
    for at in range(width + 1):
        for name, fill in {"words": lambda w: "x", "numbers": lambda w: "7", "labels": lambda w: w[label]}.items():
            made = words.every(lambda word, at=at, fill=fill: [*word[:at], fill(word), *word[at:]])
            where = "first" if at == 0 else "last" if at == width else "between"
            yield mutant(f"a column of {name} added, {where}", made.text(), base)
            made = words.one(rng, lambda word, at=at, fill=fill: [*word[:at], fill(word), *word[at:]])
            yield mutant(f"a field of {name} added, {where}", made.text(), base)
    for at, role in enumerate(words.roles):
        drop = lambda word, at=at: word[:at] + word[at + 1 :]
        yield mutant(f"the column {role or 'not read'} dropped", words.every(drop).text(), base)
        yield mutant(f"the field {role or 'not read'} dropped", words.one(rng, drop).text(), base)
        for other in range(at):

            def swap(word, at=at, other=other):
                word[at], word[other] = word[other], word[at]
                return word

            kinds = sorted({role or "not read", words.roles[other] or "not read"})
            written = "tokens" in kinds and "label" not in kinds
            for name, made in {"": words.every(swap), " in a line": words.one(rng, swap)}.items():
                expected = made.examples() if written else base
                what = " and ".join(kinds) + " exchanged" + name
                yield mutant(what, made.text(), expected, "text for text" if written else None)


def sentences(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Whole sentences gone, twice, elsewhere."""
    count = len(words.sentences)
    made = words.changed(rng.sample(words.sentences, count))
    yield mutant("sentences shuffled", made.text(), made.examples(), "order")
    for at in range(count):
        made = words.changed(words.sentences[:at] + words.sentences[at + 1 :])
        yield mutant("a sentence dropped", made.text(), made.examples(), "row gone")
        made = words.changed(words.sentences[: at + 1] + words.sentences[at:])
        yield mutant("a sentence twice", made.text(), made.examples(), "row twice")
    yield mutant("all sentences dropped", "\n\n", None)
    made = words.changed(words.sentences * 2)
    yield mutant("all sentences twice", made.text(), made.examples(), "row twice")


def lines(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Lines merged, divided, gone, twice, cut."""
    for number, sentence in enumerate(words.sentences):
        for at in range(len(sentence)):
            made = words.changed()
            del made.sentences[number][at]
            yield mutant("a word dropped", made.text(), made.examples(), "row gone")
            made = words.changed()
            made.sentences[number].insert(at, sentence[at])
            yield mutant("a word twice", made.text(), made.examples(), "row twice")
    whole = words.lines()
    for at, line in enumerate(whole):
        if not line:
            continue
        for name, between in {"nothing": "", "a space": " ", "a tab": "\t"}.items():
            if whole[at + 1]:
                merged = [*whole[:at], line + between + whole[at + 1], *whole[at + 2 :]]
                yield mutant(f"two lines merged with {name}", joined_lines(merged), base)
        place = line.index(words.mark)
        for name, new in {
            "at a space": line[:place] + "\n" + line[place + 1 :],
            "before a space": line[:place] + "\n" + line[place:],
            "after a space": line[: place + 1] + "\n" + line[place + 1 :],
            "in a word": line[:1] + "\n" + line[1:],
            "in a label": line[:-1] + "\n" + line[-1:],
        }.items():
            yield mutant(f"a line divided {name}", joined_lines([*whole[:at], new, *whole[at + 1 :]]), base)
    last = words.sentences[-1][-1][-1]
    for cut in range(1, len(last) + 4):
        yield mutant("the last line cut", joined_lines(whole).rstrip("\n")[:-cut], base)


def header(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """A header line, which the format has not."""
    names = [role or "other" for role in words.roles]
    for head in (names, [name.upper() for name in names], ["#", *names], ["Word", "Tag"]):
        for end in ("", "\n"):
            yield mutant("a header added", words.mark.join(head) + "\n" + end + words.text(), base)


def quoting(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Quotation marks around and inside words."""
    token = words.roles.index("tokens")
    for pattern in ('"{}"', '"{}', '{}"', "'{}'", '""{}""', "“{}”"):
        for _ in range(3):
            made = words.one(rng, lambda w, p=pattern: [p.format(x) if n == token else x for n, x in enumerate(w)])
            yield mutant("a word with quotation marks", made.text(), made.examples(), "quotation marks")
        everything = words.every(lambda w, p=pattern: [p.format(x) for x in w])
        yield mutant("every field quoted", everything.text(), base)
        made = words.every(lambda w, p=pattern: [p.format(x) if n == token else x for n, x in enumerate(w)])
        yield mutant("every word quoted, labels not", made.text(), made.examples(), "quotation marks")


def case(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Labels in other letters."""
    label = words.roles.index("label")
    for name in ("lower", "title", "swapcase"):
        change = lambda w, name=name: [getattr(x, name)() if n == label else x for n, x in enumerate(w)]
        made = words.every(change)
        if made.sentences != words.sentences:
            yield mutant(f"labels in {name} case", made.text(), base)
        made = words.one(rng, change)
        if made.sentences != words.sentences:
            yield mutant(f"a label in {name} case", made.text(), base)


def schemes(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Entity tags in other schemes."""
    if not words.entities:
        return
    label = words.roles.index("label")
    old = [[word[label] for word in sentence] for sentence in words.sentences]
    for name, written, iob2, reason in tags.schemes(old, rng):
        made = words.changed()
        for sentence, new in zip(made.sentences, written, strict=True):
            for word, tag in zip(sentence, new, strict=True):
                word[label] = tag
        found = [{**example, "label": one} for example, one in zip(base, iob2, strict=True)]
        yield mutant(name, made.text(), found, reason)


def comments(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Comments and the lines with which CoNLL separates documents."""
    whole = words.lines()
    for at in range(len(whole) + 1):
        for comment in ("# a comment", "#", "# sent_id = 7", "// x", "# comment", "-- x y"):
            yield mutant("a comment", joined_lines([*whole[:at], comment, *whole[at:]]), base)
        between = at == 0 or not whole[at - 1]
        for document in ("-DOCSTART- O", "-DOCSTART- -X- O O", "-DOCSTART- -X- -X- O", "-DOCSTART-"):
            if between:
                yield mutant("a document line", joined_lines([*whole[:at], document, "", *whole[at:]]), base, must=True)
            else:
                made = divided(words, at)
                text = joined_lines([*whole[:at], document, *whole[at:]])
                yield mutant("a document line in a sentence", text, made.examples(), "sentence ends")


def divided(words: Words, at: int) -> Words:
    """The sentences if the line with this number began a new one."""
    made, number = [[]], 0
    for sentence in words.sentences:
        for word in sentence:
            if number == at:
                made.append([])
            made[-1].append(word)
            number += 1
        made.append([])
        number += 1
    return words.changed([sentence for sentence in made if sentence])


def blank_lines(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Blank lines put in and taken out."""
    whole = words.lines()
    for at in range(len(whole) + 1):
        between = at in (0, len(whole)) or not whole[at - 1] or not whole[at]
        for name, line in {"a blank line": "", "a line of a space": " ", "a tab": "\t", "a NBSP": "\u00a0"}.items():
            text = joined_lines([*whole[:at], line, *whole[at:]])
            if between:
                yield mutant(f"{name} between sentences", text, base, must=line == "")
            else:
                yield mutant(f"{name} in a sentence", text, divided(words, at).examples(), "sentence ends")
    ends = [at for at, line in enumerate(whole[:-1]) if not line]
    for number, at in enumerate(ends):
        made = words.changed()
        made.sentences[number : number + 2] = [made.sentences[number] + made.sentences[number + 1]]
        text = joined_lines([*whole[:at], *whole[at + 1 :]])
        yield mutant("a blank line gone", text, made.examples(), "sentence ends")
    made = words.changed([[word for sentence in words.sentences for word in sentence]])
    yield mutant("all blank lines gone", made.text(), made.examples(), "sentence ends")


def values(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Words and labels that look like something else."""
    token, label = words.roles.index("tokens"), words.roles.index("label")
    for word in content.AWKWARD:
        made = words.one(rng, lambda w, word=word: [word if n == token else x for n, x in enumerate(w)])
        yield mutant(f"a word is {word if word.isascii() else 'rare'}", made.text(), made.examples())
        made = words.one(rng, lambda w, word=word: [word if n == label else x for n, x in enumerate(w)])
        yield mutant("a label is another word", made.text(), None)
    for empty in (token, label):
        made = words.one(rng, lambda w, empty=empty: ["" if n == empty else x for n, x in enumerate(w)])
        yield mutant(f"no {words.roles[empty]}", made.text(), None)


def separators(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Separators doubled, at the ends, or others than those of the format."""
    whole = words.lines()
    full = [at for at, line in enumerate(whole) if line]
    patterns = {
        "a space after a line": lambda line: line + " ",
        "a tab after a line": lambda line: line + "\t",
        "a space before a line": lambda line: " " + line,
        "a NBSP after a line": lambda line: line + "\u00a0",
        "a NBSP before a line": lambda line: "\u00a0" + line,
    }
    for other in ("  ", "\t", "\t\t", " \t", "\t ", ",", ";", "\u00a0", "\u3000", "_", "/", " O "):
        patterns[f"{other!r} for a space"] = lambda line, other=other: line.replace(" ", other)
    for name, change in patterns.items():
        own = base
        if name == "a NBSP before a line":  # belongs to the word
            own = [{**one, "tokens": ["\u00a0" + token for token in one["tokens"]]} for one in base]
        yield mutant(f"{name}, all lines", joined_lines([line and change(line) for line in whole]), own)
        for _ in range(3):
            at = rng.choice(full)
            made = [change(line) if number == at else line for number, line in enumerate(whole)]
            if name != "a NBSP before a line":
                yield mutant(name, joined_lines(made), base)


def invisible(words: Words, base: list, rng: random.Random) -> Iterator[Mutant]:
    """Characters that one does not see."""
    token, label = words.roles.index("tokens"), words.roles.index("label")
    first = words.sentences[0][0]
    for character in content.INVISIBLE:
        name = f"U+{ord(character):04X}"
        for pattern in ("{1}{0}", "{0}{1}", "x{1}{0}", "{1}"):
            new = lambda w, p=pattern, c=character: [p.format(x, c) if n == token else x for n, x in enumerate(w)]
            made = words.one(rng, new)
            if character != "\ufeff" or made.sentences[0][0] == first:
                yield mutant(f"{name} in a word", made.text(), made.examples())
        for pattern in ("{1}{0}", "{0}{1}"):
            new = lambda w, p=pattern, c=character: [p.format(x, c) if n == label else x for n, x in enumerate(w)]
            yield mutant(f"{name} beside a label", words.one(rng, new).text(), base)
    for at in (token, label):
        made = words.one(rng, lambda w, at=at: ["a\0b" if n == at else x for n, x in enumerate(w)])
        yield mutant("NUL in a field", made.text(), base)
