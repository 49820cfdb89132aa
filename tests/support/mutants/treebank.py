"""Treebanks in CoNLL-U."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator

from tests.support.mutants import content
from tests.support.mutants.content import joined_lines
from tests.support.mutants.mutant import Mutant, mutant

NAMES = "ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC"
ID, FORM, LEMMA, UPOS, XPOS, MISC = 0, 1, 2, 3, 4, 9
SENT_ID, TEXT = "# sent_id = ", "# text = "

Block = list[list[str]]  # lines of fields; a comment has one


def make(rng: random.Random) -> list[Block]:
    """Some sentences, with multiword tokens and an empty node."""
    blocks = []
    for number in range(4):
        words = content.text(rng, rng.randint(3, 5)).split(" ")
        lines: Block = []
        for at, word in enumerate(words, 1):
            upos = rng.choice(("NOUN", "VERB", "ADJ", "PROPN", "PUNCT"))
            last = at == len(words) - 1
            misc = "SpaceAfter=No" if last else "_"
            lines.append(
                [str(at), word, f"{word}-lemma", upos, f"{upos[0]}{upos[1]}x", "_", str(at - 1), "dep", "_", misc]
            )
        text = " ".join(words[:-1]) + words[-1]
        if number == 1:  # the first two words are one token of the text
            lines.insert(0, ["1-2", words[0] + words[1], *"_" * 8])
            lines[1][FORM], lines[2][FORM] = words[0], words[1] + "é"
            text = " ".join([words[0] + words[1], *words[2:-1]]) + words[-1]
            lines[0][MISC] = "SpaceAfter=No" if len(words) == 3 else "_"
        if number == 2:
            lines.insert(2, ["2.1", "empty", "empty", "VERB", *"_" * 6])
        blocks.append([[f"{SENT_ID}s{number}"], [TEXT + text], *lines])
    return blocks


def text_of(blocks: list[Block]) -> str:
    """The file."""
    return joined_lines([line for block in blocks for line in [*map("\t".join, block), ""]])


def is_word(line: list[str]) -> bool:
    """Whether a line is that of a syntactic word."""
    return line[ID].isdecimal()


def examples(blocks: list[Block]) -> list[dict]:
    """The sentences as examples."""
    words = [[line for line in block if is_word(line)] for block in blocks]
    return [{"tokens": [w[FORM] for w in block], "label": [w[UPOS] for w in block]} for block in words if block]


def without_text(blocks: list[Block]) -> list[Block]:
    """The sentences without the comment that repeats their text."""
    return [[line for line in block if not line[0].startswith(TEXT)] for block in blocks]


def changes(blocks: list[Block], rng: random.Random) -> Iterator[tuple[str, Mutant]]:
    """All changes of a treebank."""
    base = examples(blocks)
    yield "none", mutant("nothing", text_of(blocks), base, must=True)
    yield "comments", mutant("no # text", text_of(without_text(blocks)), base, must=True)
    for name, make_all in (
        ("columns", columns),
        ("rows", sentences),
        ("rows", lines),
        ("header", header),
        ("case", case),
        ("comments", comments),
        ("blank lines", blank_lines),
        ("values", values),
        ("separators", separators),
        ("invisible", invisible),
        ("quoting", quoting),
    ):
        for made in make_all(blocks, base, rng):
            yield name, made
    for made in content.line_ends(text_of(blocks), base, rng):
        yield "line ends", made
    for made in content.encodings(text_of(blocks), base, rng):
        yield "encoding", made


def every(blocks: list[Block], change) -> list[Block]:
    """All lines of fields changed."""
    return [[change(list(line)) if len(line) > 1 else line for line in block] for block in blocks]


def one(blocks: list[Block], rng: random.Random, change) -> list[Block]:
    """The fields of one word changed; not of the words of a multiword token, which # text does not show."""
    made = copy.deepcopy(blocks)
    block = rng.choice([block for block in made if not any("-" in line[ID][:3] and len(line) > 1 for line in block)])
    at = rng.choice([at for at, line in enumerate(block) if is_word(line)])
    block[at] = change(block[at])
    return made


def setter(column: int, new):
    """A change that sets a column: to a text, or to what a function makes of it."""

    def change(line: list[str]) -> list[str]:
        return [*line[:column], new(line[column]) if callable(new) else new, *line[column + 1 :]]

    return change


def columns(blocks, base, rng) -> Iterator[Mutant]:
    """Columns more, less, elsewhere, or empty."""
    names = NAMES.split()
    for at in range(11):
        add = lambda line, at=at: [*line[:at], "x", *line[at:]]
        yield mutant("a column added", text_of(every(blocks, add)), base)
        yield mutant("a field added", text_of(one(blocks, rng, add)), base)
    for at, name in enumerate(names):
        drop = lambda line, at=at: line[:at] + line[at + 1 :]
        yield mutant("a column dropped", text_of(every(blocks, drop)), base)
        yield mutant("a field dropped", text_of(one(blocks, rng, drop)), base)
        for other in range(at):

            def swap(line, at=at, other=other):
                line = list(line)
                line[at], line[other] = line[other], line[at]
                return line

            what = f"{names[other]} and {name} exchanged"
            swapped = every(blocks, swap)
            yield mutant(what, text_of(swapped), base)
            head = swap(names)
            declared = [[["# global.columns = " + " ".join(head)], *swapped[0]], *swapped[1:]]
            yield mutant(f"{what}, as # global.columns says", text_of(declared), base)
            yield mutant(f"{what} in a line", text_of(one(blocks, rng, swap)), base)
    swapped = every(without_text(blocks), lambda line: [line[0], line[2], line[1], *line[3:]])
    taken = examples(swapped)
    yield mutant("FORM and LEMMA exchanged, no # text", text_of(swapped), taken, "text for text")
    declared = [[["# global.columns = " + NAMES], *blocks[0]], *blocks[1:]]
    yield mutant("# global.columns", text_of(declared), base, must=True)
    for form in ("_", "", "-"):
        yield mutant(f"all FORMs {form!r}", text_of(every(blocks, setter(FORM, form))), None)
    for form in ("_", ""):
        bare = every(without_text(blocks), setter(FORM, form))
        yield mutant(f"all FORMs {form!r}, no # text", text_of(bare), None)
    yield mutant("all UPOS _", text_of(every(blocks, setter(UPOS, "_"))), None)


def sentences(blocks, base, rng) -> Iterator[Mutant]:
    """Whole sentences gone, twice, elsewhere."""
    shuffled = rng.sample(blocks, len(blocks))
    yield mutant("sentences shuffled", text_of(shuffled), examples(shuffled), "order")
    for at in range(len(blocks)):
        less = blocks[:at] + blocks[at + 1 :]
        yield mutant("a sentence dropped", text_of(less), examples(less), "row gone")
        yield mutant("a sentence twice", text_of(blocks[: at + 1] + blocks[at:]), base)
        bare = [line for line in blocks[at] if len(line) > 1]
        twice = [*blocks[: at + 1], bare, *blocks[at + 1 :]]
        yield mutant("a sentence twice, without its id", text_of(twice), examples(twice), "row twice")
    yield mutant("all sentences dropped", "\n", None)
    yield mutant("only comments", text_of([[line for line in block if len(line) == 1] for block in blocks]), None)


def lines(blocks, base, rng) -> Iterator[Mutant]:
    """Lines gone, twice, elsewhere, merged, divided; other ids."""
    for number, block in enumerate(blocks):
        spots = [at for at, line in enumerate(block) if len(line) > 1]
        for at in spots:
            for what, new in {
                "dropped": block[:at] + block[at + 1 :],
                "twice": block[: at + 1] + block[at:],
                "again at the end": [*block, block[at]],
                "moved to the end": [*block[:at], *block[at + 1 :], block[at]],
            }.items():
                made = [*blocks[:number], new, *blocks[number + 1 :]]
                yield mutant(f"a line {what}", text_of(made), base)
            line = "\t".join(block[at])
            if at + 1 in spots:
                for between in ("", " ", "\t"):
                    new = [*block[:at], [line + between + "\t".join(block[at + 1])], *block[at + 2 :]]
                    yield mutant("two lines merged", text_of([*blocks[:number], new, *blocks[number + 1 :]]), base)
            place = rng.randrange(1, len(line))
            new = [*block[:at], [line[:place]], [line[place:]], *block[at + 1 :]]
            yield mutant("a line divided", text_of([*blocks[:number], new, *blocks[number + 1 :]]), base)
        words = [at for at in spots if is_word(block[at])]
        new = [line for at, line in enumerate(without_text([block])[0]) if at != len(without_text([block])[0]) - 1]
        made = [*blocks[:number], new, *blocks[number + 1 :]]
        yield mutant("the last word dropped, no # text", text_of(made), examples(made), "row gone")
        order = dict(zip(words, rng.sample(words, len(words)), strict=True))
        new = [block[order.get(at, at)] for at in range(len(block))]
        yield mutant("words shuffled", text_of([*blocks[:number], new, *blocks[number + 1 :]]), base)
        new = [*block[: words[0]], *[block[at] for at in spots[::-1]]]
        yield mutant("words reversed", text_of([*blocks[:number], new, *blocks[number + 1 :]]), base)
    ids = {"1": "01", "2": "2.0", "3": "3.1", "4": "3-4", "5": ""}
    for new in (
        lambda x: x + ".0",
        lambda x: x + ".1",
        lambda x: f"{x}-{x}",
        lambda x: str(int(x) - 1),
        "1",
        "_",
        "",
        "x",
    ):
        yield mutant("an id written otherwise", text_of(one(blocks, rng, setter(ID, new))), base)
        if callable(new):
            other = [[setter(ID, new)(line) if is_word(line) else line for line in block] for block in blocks]
            yield mutant("all ids written otherwise", text_of(other), base)
    for new in ids.values():
        yield mutant("an id replaced", text_of(one(blocks, rng, setter(ID, new))), base)
    for new in (lambda x: "0" + x, lambda x: "+" + x, lambda x: x + " ", lambda x: " " + x, lambda x: x + "\u00a0"):
        yield mutant("an id with signs", text_of(one(blocks, rng, setter(ID, new))), base)
    text = text_of(blocks)
    end = text.rstrip("\n")
    for cut in range(1, 45, 2):
        yield mutant("the last line cut", end[:-cut], base)


def header(blocks, base, rng) -> Iterator[Mutant]:
    """A header line, which the format has not."""
    for head in (NAMES, NAMES.lower(), "# " + NAMES):
        line = head.replace(" ", "\t")
        yield mutant("a header added", line + "\n" + text_of(blocks), base)
        yield mutant("a header and a blank line added", line + "\n\n" + text_of(blocks), base)


def case(blocks, base, rng) -> Iterator[Mutant]:
    """UPOS in other letters."""
    for change in (str.lower, str.title):
        yield mutant("UPOS in other letters", text_of(every(blocks, setter(UPOS, change))), base)
        for _ in range(4):
            yield mutant("an UPOS in other letters", text_of(one(blocks, rng, setter(UPOS, change))), base)


def comments(blocks, base, rng) -> Iterator[Mutant]:
    """Comments added, changed, gone."""
    whole = text_of(blocks).split("\n")[:-1]
    for at in range(len(whole) + 1):
        comment = rng.choice(
            ("# a comment", "#", "# newdoc id = x", "# newpar", "#a = b", "# a\tb\tc", "# translit = x")
        )
        yield mutant("a comment", joined_lines([*whole[:at], comment, *whole[at:]]), base)
        yield mutant(
            "what is no comment",
            joined_lines([*whole[:at], rng.choice(("// x", "; x", "<s>", "x")), *whole[at:]]),
            base,
        )
        if at < len(whole) and "\t" in whole[at]:
            yield mutant("a line commented out", joined_lines([*whole[:at], "#" + whole[at], *whole[at + 1 :]]), base)
    for number in range(len(blocks)):
        made = copy.deepcopy(blocks)
        made[number][1][0] += " more"
        yield mutant("# text with a word more", text_of(made), base)
        made[number][1][0] = TEXT
        yield mutant("# text is empty", text_of(made), base)
        made[number][1][0] = blocks[number - 1][1][0]
        yield mutant("# text of another sentence", text_of(made), base)
        del made[number][0]
        yield mutant("# sent_id gone, # text of another sentence", text_of(made), base)
        made = copy.deepcopy(blocks)
        made[number][0][0] = made[number - 1][0][0]
        yield mutant("the same # sent_id twice", text_of(made), base)


def blank_lines(blocks, base, rng) -> Iterator[Mutant]:
    """Blank lines put in and taken out."""
    whole = text_of(blocks).split("\n")[:-1]
    for at in range(len(whole) + 1):
        for name, line in {"a blank line": "", "a line of a space": " ", "a tab": "\t", "nine tabs": "\t" * 9}.items():
            yield mutant(name, joined_lines([*whole[:at], line, *whole[at:]]), base)
        if at < len(whole) and not whole[at]:
            yield mutant("a blank line gone", joined_lines(whole[:at] + whole[at + 1 :]), base)
    bare = [[line for line in block if len(line) > 1] for block in blocks]
    for number in range(1, len(bare)):
        joined = [*bare[: number - 1], bare[number - 1] + bare[number], *bare[number + 1 :]]
        yield mutant("a blank line gone, no comments", text_of(joined), base)
    yield mutant("all blank lines gone", joined_lines([line for line in whole if line]), base)


def values(blocks, base, rng) -> Iterator[Mutant]:
    """Words and tags that look like something else, with or without a # text that agrees."""
    for word in content.AWKWARD:
        made = one(without_text(blocks), rng, setter(FORM, word))
        yield mutant(f"a FORM is {word if word.isascii() else 'rare'}", text_of(made), examples(made))
        made = one(without_text(blocks), rng, setter(UPOS, word))
        yield mutant("a UPOS is another word", text_of(made), base if made == blocks else None)
        made = [*one(blocks[:1], rng, setter(FORM, word)), *blocks[1:]]
        yield mutant("a FORM is other than in # text", text_of(made), None)


def quoting(blocks, base, rng) -> Iterator[Mutant]:
    """Quotation marks."""
    bare = without_text(blocks)
    for pattern in ('"{}"', '"{}', '{}"', "'{}'", '""{}""'):
        made = one(bare, rng, setter(FORM, pattern.format))
        yield mutant("a FORM with quotation marks", text_of(made), examples(made), "quotation marks")
        everything = every(bare, lambda line, p=pattern: [p.format(x) for x in line])
        yield mutant("every field quoted", text_of(everything), base)


def separators(blocks, base, rng) -> Iterator[Mutant]:
    """Separators doubled, at the ends, or others than tabs."""
    whole = text_of(blocks).split("\n")[:-1]
    full = [at for at, line in enumerate(whole) if "\t" in line]
    patterns = {
        "a tab after": lambda x: x + "\t",
        "a tab before": lambda x: "\t" + x,
        "a space after": lambda x: x + " ",
    }
    patterns |= {"a space before": lambda x: " " + x, "tabs doubled": lambda x: x.replace("\t", "\t\t", 1)}
    for other in (" ", "  ", ",", "\t ", " \t", "\u00a0", "|", "    "):
        patterns[f"{other!r} for a tab"] = lambda x, other=other: x.replace("\t", other)
        patterns[f"{other!r} for one tab"] = lambda x, other=other: x.replace("\t", other, 1)
    for name, change in patterns.items():
        yield mutant(
            f"{name}, all lines", joined_lines([change(x) if n in full else x for n, x in enumerate(whole)]), base
        )
        for _ in range(2):
            at = rng.choice(full)
            yield mutant(name, joined_lines([change(x) if n == at else x for n, x in enumerate(whole)]), base)
    for column in (FORM, UPOS):
        for pattern in ("{} ", " {}", "{}\u00a0", "\u3000{}"):
            made = one(without_text(blocks), rng, setter(column, pattern.format))
            # The format forbids spaces at the ends of a field; other white space is a character of the word.
            kept = column == FORM and " " not in pattern
            yield mutant("white space beside a field", text_of(made), examples(made) if kept else base)


def invisible(blocks, base, rng) -> Iterator[Mutant]:
    """Characters that one does not see."""
    bare = without_text(blocks)
    for character in content.INVISIBLE:
        name = f"U+{ord(character):04X}"
        for pattern in ("{1}{0}", "{0}{1}", "x{1}{0}", "{1}"):
            new = lambda x, p=pattern, c=character: p.format(x, c)
            made = one(bare, rng, setter(FORM, new))
            yield mutant(f"{name} in a FORM", text_of(made), examples(made))
            for column in (ID, UPOS):
                yield mutant(f"{name} beside a field", text_of(one(blocks, rng, setter(column, new))), base)
    for column in (ID, FORM, UPOS, MISC):
        made = one(bare, rng, setter(column, "a\0b"))
        yield mutant("NUL in a field", text_of(made), base)
