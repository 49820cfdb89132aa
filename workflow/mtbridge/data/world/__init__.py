"""The generated world: text in five languages, and examples for eleven tasks, with no data from outside.

A small world of people, places, organisations, things, actions, amounts and dates is drawn as *meanings*, and each
meaning is realised in German, English, Spanish, French and Russian with real words and simple correct grammar. Labels
follow from the meaning. What it gives up: variety. Its sentences come from some forty patterns, so scores on it say
that a pipeline works and what transfers through structure and shared words, not how good a model is on real text.

Much of dev and test must be known from text: half of their names and nouns do not occur in the English training
examples, and an article to be classified names no organisation, which all languages would spell alike. Where a task has
two texts, the label lies in how they match: words, lengths and, for paraphrases, shared words alone tell little of it.
Test examples of all tasks are translations of each other, row by row.

    words/                       the words, names and sentence patterns, as YAML to read and to extend
    lexicon, names               the words as tables; the names, and CLDR's through Babel
    grammar, realise             word forms and agreement; from a meaning to tagged words
    meanings, drawing            what can be said and to which split it belongs; how it is drawn
    sentences, corpora           documents of several sentences; line-aligned text
    tagging, classification, entailment, pairs, search
                                 the generators of the eight tasks
    writing, answers             those of the three tasks of writing; answers to questions
    examples                     the tasks, and their examples in a language
    release                      the same examples in the files of the XGLUE release

The names here need no words, so planning a study reads none.
"""

LANGUAGES = ("de", "en", "es", "fr", "ru")
CORPORA = ("pretraining", "parallel", "heldout")
