"""The generated world: text in five languages, and labelled examples for eight tasks, with no data from outside.

A small world of people, places, organisations, things, actions, amounts and dates is drawn as *meanings*, and each
meaning is realised in German, English, Spanish, French and Russian with real words and simple correct grammar. Labels
follow from the meaning. What it gives up: variety. Its sentences come from some forty patterns, so scores on it say
that a pipeline works and what transfers through structure and shared words, not how good a model is on real text.

Much of dev and test must be known from text: half of their names and nouns do not occur in the English training
examples, and an article to be classified names no organisation, which all languages would spell alike.

    lexicon, sentences, names   the words, the sentence patterns, the names (CLDR's through Babel)
    grammar, realise            word forms and agreement; from a meaning to tagged words
    meanings, examples          what can be said and to which split it belongs; corpora and tasks
    release                     the same examples in the files of the XGLUE release
"""

from mtbridge.data.world.examples import TASKS, examples, parallel
from mtbridge.data.world.grammar import LANGUAGES
from mtbridge.data.world.lexicon import TOPICS
from mtbridge.data.world.meanings import CORPORA

__all__ = ["CORPORA", "LANGUAGES", "TASKS", "TOPICS", "examples", "parallel"]
