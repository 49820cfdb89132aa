"""Text and labelled examples from meanings: the corpora and the eight tasks of the generated world.

Everything is drawn in meanings first and put into a language afterwards, so a corpus's lines and a task's evaluation
examples are translations of each other, and no language depends on which others are asked for. A task's examples are
drawn in order: a smaller count is a prefix of a larger one.
"""

import random
from typing import NamedTuple

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.data.world import names
from mtbridge.data.world.grammar import (
    ADJECTIVES_OF_TOPIC,
    ANTONYM,
    CATEGORIES,
    CATEGORIES_OF_TOPIC,
    CATEGORY_OF,
    LANGUAGES,
    ORGANISATION_VERBS,
)
from mtbridge.data.world.lexicon import TOPICS
from mtbridge.data.world.meanings import CORPORA, SMALL_COUNTS, Context, Meaning, Person, World, occurring
from mtbridge.data.world.realise import line, words
from mtbridge.specs.task import SPLITS, Task
from mtbridge.tasks.kinds import kind_of


def _words(text):
    return tuple(text.split())


UPOS = _words("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X")
ENTITIES = ("O", *(f"{prefix}-{kind}" for kind in ("PER", "LOC", "ORG", "MISC") for prefix in "BI"))


TASKS = {
    task.name: task
    for task in (
        Task("nc", "classification", TOPICS, "accuracy", ("title", "body")),
        Task("xnli", "pair", ("entailment", "neutral", "contradiction"), "accuracy", ("premise", "hypothesis")),
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
        Task("ner", "tagging", ENTITIES, "entity_f1"),
        Task("pos", "tagging", UPOS, "tagging_accuracy"),
    )
}


class Saying(NamedTuple):
    """A meaning and the form of sentence it is said in."""

    meaning: Meaning
    form: str = "plain"


class Drawn(NamedTuple):
    """An example before it is put into a language: the sayings of each column, and the label."""

    columns: tuple[tuple[Saying, ...], ...]
    label: str | None


# --- running text ----------------------------------------------------------------------------------------------------

_TOPICAL = _words(
    "act act act act act act act act talk attend price property property location schedule profession catalogue"
)
_NOISE = _words("interact interact route weather prices listing")
# A document of running text opens with an organisation, whose name all languages share, and is dense in what belongs to
# its topic: from there small models learn which words go together. An article of the task nc names no organisation.
_OPENING = _words("range " * 8 + "catalogue price location schedule")
_TEXT = _words("range " * 8 + "act act act act act act talk attend property property profession")
_ARTICLE = _words("deed deed deed deed deed deed deed deed talk attend property property profession")
_MIXED = _TOPICAL * 2 + _NOISE * 2


def _forms(meaning: Meaning) -> list[str]:
    """The statements that a meaning can be made in, commoner ones several times."""
    if meaning.frame == "act":
        forms = ["plain"] * 4 + ["report", "wants", "negated", "yes"]
        if isinstance(meaning.agent, Person):
            forms += ["claims"] * 2
        if meaning.time:
            forms += ["fronted"] * 2
        if meaning.place:
            forms += ["located"]
        if not meaning.second:
            forms += ["passive"] * 2
        if meaning.adjective in ANTONYM and not meaning.count:
            forms += ["because"] * 3
        return forms
    if meaning.frame == "interact":
        return ["plain", "plain", "passive", "report", "negated", "wants"] + ["fronted"] * bool(meaning.time)
    if meaning.frame == "route" and meaning.time:
        return ["plain", "fronted"]
    if meaning.frame == "property":
        return ["plain", "plain", "plain", "negated"]
    return ["plain"]


def _say(world: World, context: Context, frames, previous: Meaning | None = None) -> Saying:
    """A statement in a context; after one about the same agent it may say "also"."""
    rng = world.rng
    meaning = world.draw(rng.choice(frames), context)
    if meaning.frame == "act" and previous and previous.agent == meaning.agent and rng.random() < 0.4:
        return Saying(meaning, "also")
    form = rng.choice(_forms(meaning))
    if form == "report":
        reporter = world.person()
        if reporter == meaning.agent:
            return Saying(meaning)
        meaning = meaning._replace(reporter=reporter)
    return Saying(meaning, form)


def _document(world: World, length: int):
    """Sentences about one topic, its people, organisation and place; a few are noise common to all topics."""
    context = world.context()
    previous = None
    for index in range(length):
        frames = (_NOISE if world.rng.random() < 0.2 else _TEXT) if index else _OPENING
        saying = _say(world, context, frames, previous)
        previous = saying.meaning
        yield saying


def sayings(corpus: str, lines: int, seed: int):
    """The meanings behind a corpus's lines, as (meaning, form)."""
    if corpus not in CORPORA:
        raise MtbridgeError(f"the generated world has no corpus '{corpus}'; {nearest(corpus, CORPORA)}")
    world = World(corpus, random.Random(f"{corpus}/{seed}"))
    done = 0
    while done < lines:
        for saying in _document(world, min(3, lines - done)):
            yield saying
            done += 1


def parallel(corpus: str, lines: int, seed: int, languages=LANGUAGES) -> dict[str, list[str]]:
    """Line-aligned plain text of a corpus: {language: lines}.

    Every three lines are a document about one topic with shared people, places and organisations. Corpora of different
    names ("pretraining", "parallel", "heldout") share no meaning with each other, nor with any task's examples.
    Raises MtbridgeError for an unknown corpus or language.
    """
    for language in languages:
        _check_language(language)
    text = {language: [] for language in languages}
    for meaning, form in sayings(corpus, lines, seed):
        for language in languages:
            text[language].append(line(meaning, language, form))
    return text


# --- the tasks: each yields Drawn examples without end -------------------------------------------------------------


def _tagging(world, frames):
    rng = world.rng
    while True:
        context = world.context()
        if rng.random() < 0.1:
            meaning = world.draw("act", context, time=("weekday", rng.randrange(7)), second=None)
            saying = Saying(meaning, rng.choice(("where", "when", "what")))
        else:
            saying = _say(world, context, frames)
        yield Drawn(((saying,),), None)


def _pos(world):
    return _tagging(world, _MIXED)


def _ner(world):
    return _tagging(world, [*_MIXED, "schedule", "schedule", "interact", "listing", "location"])


def _nc(world):
    rng = world.rng
    while True:
        topic = rng.choice(TOPICS)
        context = world.context(topic)
        first = _say(world, context, _ARTICLE)
        if first.meaning.frame == "act" and not first.meaning.second and rng.random() < 0.15:
            first = first._replace(
                meaning=first.meaning._replace(general=True), form="plain"
            )  # the topic word left out
        second = _say(world, context, _ARTICLE if rng.random() < 0.5 else _NOISE, first.meaning)
        head = world.draw("deed", context, place=context.place, second=None)
        names_only = rng.random() < 0.4
        title = Saying(head, "names" if names_only else "headline")
        body = (first, second) if second.form == "also" or rng.random() < 0.6 else (second, first)
        yield Drawn(((title,), body), topic)


def _other(rng, choices, *than):
    """One of the choices, but not one of `than`."""
    return rng.choice([choice for choice in choices if choice not in than])


def _other_place(world, place):
    table = names.CITY_NAMES if place[0] == "city" else names.COUNTRIES
    return (place[0], _other(world.rng, occurring(world.part, len(table)), place[1]))


def _verbs(meaning):
    verbs = CATEGORIES[CATEGORY_OF[meaning.thing]].verbs
    return verbs if isinstance(meaning.agent, Person) else [verb for verb in verbs if verb in ORGANISATION_VERBS]


# Deeds that include or exclude each other: whether the one was done follows from the other, so it is not open.
_RELATED = {
    frozenset(pair.split())
    for pair in (
        "cook make",
        "win lose",
        "open close",
        "present show",
        "try drink",
        "try test",
        "watch film",
        "organise cancel",
        "plan organise",
        "sell present",
        "receive lose",
    )
}
_ONE_SIDED = ("support", "interview", "criticise", "inform", "hire")  # what A does to B and B need not do to A


def _other_deed(rng, meaning):
    related = [verb for verb in _verbs(meaning) if frozenset((verb, meaning.verb)) in _RELATED]
    return _other(rng, _verbs(meaning), meaning.verb, *related)


def _details(meaning) -> list[str]:
    """The details that a meaning gives beyond who did what."""
    return [field for field in ("adjective", "place", "time") if getattr(meaning, field) is not None]


def _fewer(rng, m) -> Meaning:
    """The meaning without some of its details."""
    details = _details(m)
    return m._replace(**dict.fromkeys(rng.sample(details, rng.randrange(1, len(details) + 1))))


def _quality(rng, m, label) -> Saying:
    """A statement about the same quality or another: "good" entails "not bad", excludes "bad", leaves "simple" open."""
    opposite = m._replace(adjective=ANTONYM[m.adjective])
    if label == "entailment":
        return Saying(opposite, "negated")
    if label == "contradiction":
        return rng.choice((Saying(opposite), Saying(m, "negated")))
    other = _other(rng, sorted(ANTONYM), m.adjective, opposite.adjective)
    return Saying(m._replace(adjective=other), rng.choice(("plain", "negated")))


def _deeds(world, m, label) -> tuple[Saying, Saying]:
    """Premise and hypothesis about a deed `m`, which has at least one detail.

    Each kind of hypothesis (denied, passive, general, with more or fewer details) occurs under several labels, so that
    it alone does not tell the label.
    """
    rng = world.rng
    fewer = _fewer(rng, m)
    voice = rng.choice(("plain", "plain", "passive"))
    if label == "entailment":
        if rng.random() < 0.35:  # what did not happen did not happen in Berlin either
            return Saying(fewer, "negated"), Saying(m, "negated")
        if m.frame == "act" and not m.count and rng.random() < 0.4:
            fewer = fewer._replace(general=True, name=None, adjective=None)
        return Saying(m), Saying(fewer, voice)
    if label == "contradiction":
        changes = ["denied", "claimed"]
        if m.frame == "act" and m.count:
            changes.append("count")
        if m.place and m.time and m.time[0] not in ("month", "year"):
            changes += ["place"] * 2
        change = rng.choice(changes)
        if change == "denied":
            return Saying(m), Saying(rng.choice((m, fewer)), "negated")
        if change == "claimed":
            return Saying(fewer, "negated"), Saying(rng.choice((m, fewer)), voice)
        if change == "count":
            return Saying(m), Saying(m._replace(count=_other(rng, SMALL_COUNTS, m.count)), voice)
        return Saying(m), Saying(m._replace(place=_other_place(world, m.place)), voice)
    if m.frame == "interact":  # what A did to B, B need not have done to A
        m = m._replace(verb=rng.choice(_ONE_SIDED))
        other = m._replace(agent=m.patient, patient=m.agent)
    else:
        other = m._replace(verb=_other_deed(rng, m))
    change = rng.choice(("more", "wish", "other", "not other"))
    if change == "more":  # details that the premise does not tell
        more = m
        if m.frame == "act" and not m.count and rng.random() < 0.4:
            more = m._replace(general=True, name=None, adjective=None)
        kept = _fewer(rng, more if _details(more) else m)
        if _details(kept._replace(adjective=None)) != _details(more._replace(adjective=None)) or not more.general:
            return Saying(kept._replace(general=False, name=m.name)), Saying(more, voice)
    if change == "wish":
        return Saying(m, "wants"), Saying(fewer, voice)
    return Saying(m), Saying(rng.choice((other, _fewer(rng, other))), "negated" if change == "not other" else voice)


def _xnli(world):
    rng = world.rng
    while True:
        label = rng.choice(TASKS["xnli"].labels)
        frame = rng.choice(["act", "act", "act", "act", "interact", "property"])
        context = world.context()
        if frame == "property":
            m = world.draw(frame, context, adjective=rng.choice(sorted(ANTONYM)))
            yield Drawn(((Saying(m),), (_quality(rng, m, label),)), label)
            continue
        m = world.draw(frame, context, second=None)
        if not _details(m):
            m = m._replace(place=context.place)
        premise, hypothesis = _deeds(world, m, label)
        yield Drawn(((premise,), (hypothesis,)), label)


def _paws(world):
    """The same words; the label says whether who did what to whom, or from where to where, is still the same."""
    rng = world.rng
    while True:
        same = rng.random() < 0.5
        context = world.context()
        day = ("weekday", rng.randrange(7))
        frame = rng.choice(("interact", "interact", "route"))
        if frame == "interact":
            m = world.draw(frame, context, time=day)
            if m.verb in ("meet", "greet"):
                m = m._replace(verb=rng.choice(_ONE_SIDED))
            first, second = rng.sample(("plain", "passive", "fronted"), 2)
            other = m if same else m._replace(agent=m.patient, patient=m.agent)
        else:
            m = world.draw(frame, context, time=day)
            first, second = rng.sample(("plain", "fronted"), 2)
            other = m if same else m._replace(origin=m.place, place=m.origin)
        yield Drawn(((Saying(m, first),), (Saying(other, second),)), str(int(same)))


def _qam(world):
    """Does the passage answer the question? Passages that do not are about the same person, or lack what is asked."""
    rng = world.rng
    while True:
        answers = rng.random() < 0.5
        question = rng.choice(("who", "where", "when", "what"))
        context = world.context()
        m = world.draw("act", context, time=("weekday", rng.randrange(7)), place=context.place, second=None, name=None)
        told = m
        if not answers:
            lacking = {"where": "place", "when": "time"}.get(question)
            category = CATEGORIES[CATEGORY_OF[m.thing]]
            if lacking and rng.random() < 0.5:
                told = m._replace(**{lacking: None})
            elif question == "what":
                told = m._replace(verb=_other(rng, _verbs(m), m.verb))
            else:
                told = m._replace(thing=_other(rng, category.nouns, m.thing))
        form = rng.choice([form for form in ("plain", "fronted", "passive") if form != "fronted" or told.time])
        passage = [Saying(told, form), _say(world, context, _NOISE)]
        rng.shuffle(passage)
        yield Drawn(((Saying(m, question),), tuple(passage)), str(int(answers)))


def _search(world) -> Meaning:
    """What someone looks for: a thing in a city."""
    rng = world.rng
    while True:
        topic = rng.choice(TOPICS)
        adjective = rng.choice(ADJECTIVES_OF_TOPIC[rng.choice(("", topic))]) if rng.random() < 0.5 else None
        thing = rng.choice(CATEGORIES[rng.choice(CATEGORIES_OF_TOPIC[topic])].nouns)
        m = Meaning(
            "search", topic, thing=thing, adjective=adjective, place=("city", rng.randrange(len(names.CITY_NAMES)))
        )
        if world.holds(m):
            return m


def _thing_of_grade(rng, search, grade) -> str:
    """A thing: the one looked for (3, 4), another of its category (2), of its topic (1), of another topic (0)."""
    category = CATEGORY_OF[search.thing]
    if grade >= 3:
        return search.thing
    if grade == 2:
        return _other(rng, CATEGORIES[category].nouns, search.thing)
    topic = search.topic if grade == 1 else _other(rng, TOPICS, search.topic)
    return rng.choice(CATEGORIES[_other(rng, CATEGORIES_OF_TOPIC[topic], category)].nouns)


def _offer(world, thing, place, adjective=None) -> Meaning:
    topic = CATEGORIES[CATEGORY_OF[thing]].topic
    return world.draw("catalogue", world.context(topic), thing=thing, place=place, adjective=adjective)


def _qadsm(world):
    rng = world.rng
    while True:
        good = rng.random() < 0.5
        search = _search(world)
        thing = _thing_of_grade(rng, search, 3 if good else rng.choice((2, 0)))
        adjective = search.adjective if rng.random() < 0.5 else rng.choice(ADJECTIVES_OF_TOPIC[""])
        offer = _offer(world, thing, search.place, adjective)
        form = "buy" if CATEGORIES[CATEGORY_OF[thing]].kind == "goods" and rng.random() < 0.5 else "find"
        columns = ((Saying(search),), (Saying(offer, "title"),), (Saying(offer, form),))
        yield Drawn(columns, "Good" if good else "Bad")


def _wpr(world):
    """Result lists of four to six offers a query, graded 4 (same thing, same city) to 0 (another topic)."""
    rng = world.rng
    last = None
    while True:
        search = _search(world)
        if search.thing == last:  # neighbouring lists must differ in their query
            continue
        last = search.thing
        grades = [rng.choice((3, 4)), *rng.choices(range(5), k=rng.randrange(3, 6))]
        rng.shuffle(grades)
        for grade in grades:
            here = grade == 4 or (grade < 3 and rng.random() < 0.5)
            place = search.place if here else _other_place(world, search.place)
            offer = _offer(world, _thing_of_grade(rng, search, grade), place)
            columns = ((Saying(search),), (Saying(offer, "title"),), (Saying(offer, "find"), Saying(offer)))
            yield Drawn(columns, str(grade))


_GENERATORS = {
    "nc": _nc,
    "xnli": _xnli,
    "paws-x": _paws,
    "qam": _qam,
    "qadsm": _qadsm,
    "wpr": _wpr,
    "ner": _ner,
    "pos": _pos,
}


def _check_language(language):
    if language not in LANGUAGES:
        raise MtbridgeError(f"the generated world does not speak '{language}'; {nearest(language, LANGUAGES)}")


def drawn(task: str, split: str, count: int, seed: int):
    """The meanings behind a task's examples, as `Drawn`. Raises MtbridgeError for an unknown task or split."""
    if task not in TASKS:
        raise MtbridgeError(f"the generated world has no task '{task}'; {nearest(task, TASKS)}")
    if split not in SPLITS:
        raise MtbridgeError(f"the generated world has no split '{split}' of {task}; {nearest(split, SPLITS)}")
    generator = _GENERATORS[task](World(split, random.Random(f"{task}/{split}/{seed}")))
    for _ in range(count):
        yield next(generator)


def examples(task: str, split: str, language: str, count: int, seed: int) -> list[dict]:
    """Labelled examples of a task in a language, as dicts: example_id, the task's columns, label.

    Tagging: `tokens` and `label` are lists of equal length; otherwise the label is a string. The same example_id has
    the same meaning in every language. train, dev and test share no meaning with each other or with any corpus.
    Raises MtbridgeError for an unknown task, split or language.
    """
    _check_language(language)
    rows = []
    for index, (columns, label) in enumerate(drawn(task, split, count, seed)):
        row = {"example_id": f"{index:06d}"}
        if kind_of(TASKS[task]).per_word:
            tagged = words(*_unpack(columns[0][0], language))
            row["tokens"] = [word for word, _, _ in tagged]
            row["label"] = [tag if task == "pos" else entity for _, tag, entity in tagged]
        else:
            for name, said in zip(TASKS[task].columns, columns, strict=True):
                text = " ".join(line(*_unpack(saying, language)) for saying in said)
                row[name] = text.lower() if name == "query" else text
            row["label"] = label
        rows.append(row)
    return rows


def _unpack(saying, language):
    return saying.meaning, language, saying.form
