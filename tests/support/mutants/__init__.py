"""Files that someone changed: each is read as what it says, or refused with its name, and never read as something else.

    mutant.py      what a changed file is, and what came of reading it
    content.py     line ends, encodings and words that fit every kind of text file
    delimited.py   rows of fields: columns, rows, headers
    fields.py      rows of fields: quoting, case, values, separators, invisible characters, comments, blank lines
    words.py       a word a line
    tags.py        schemes of entity tags
    treebank.py    CoNLL-U
    records.py     JSON, JSON Lines
    options.py     JSON Lines: choices in a list
    questions.py   questions and answers in SQuAD's JSON
    lists.py       JSON: lists of words and labels
    parquet.py     Parquet
    corpus.py      line-aligned text
    cases.py       the readers, each with the files that it reads

`python -m tests.support.mutants > docs/input.md` writes the table of outcomes.
"""
