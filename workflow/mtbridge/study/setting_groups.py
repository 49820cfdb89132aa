"""Groups of settings of a study that no program takes: its text, its tokenizers, where translations are looked for."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from mtbridge.specs.adaptation import Decoding
from mtbridge.specs.names import Name, Names, Place
from mtbridge.specs.setting import description_of, setting
from mtbridge.specs.source import Source
from mtbridge.study.outline import RETRIEVAL_DEPTH


class Strict(BaseModel):
    """A group of settings, which accepts no undeclared key."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ExamplesCorpus(Strict):
    """A corpus that is made of a task's examples."""

    task: Name = setting(description="Task of the catalog; a sample of its test examples is taken.")
    columns: Names = setting(description="Its columns, joined by a space.")


class Corpora(Strict):
    """How much text there is, and where it comes from."""

    pretraining: int = setting(default=30000, ge=1, description="Lines a language to train on.")
    shares: dict[Name, float] = setting(
        default={},
        description="Of the lines to train on, the share that a language has: {fr: 0.02} is a language with little "
        "text, {es: 0} one that no model ever sees. Default: 1.",
    )
    heldout: int = setting(default=100, ge=1, description="Lines that are held out, to be translated.")
    parallel: int = setting(default=1000, ge=4, description="Aligned lines on which hidden states are compared.")
    parallel_from: ExamplesCorpus | None = setting(
        default=None, description="Take the aligned lines from a task whose examples are translations of each other."
    )
    stems: dict[Literal["pretraining", "heldout", "parallel"], list[Place]] = setting(
        default={"pretraining": ["train"], "heldout": ["dev"], "parallel": ["test", "dev"]},
        description="Which files `<stem>.<language>` of a corpus folder make which corpus.",
    )


class Translation(Strict):
    """What translating models translate, and how."""

    test: Place | None = setting(
        default=None,
        description="Folder of line-aligned text, `<stem>.<language>`, that is translated; default: the study's own "
        "held-out lines (`corpora.heldout`).",
    )
    stem: Place = setting(default="devtest", description="Which files of this folder are translated.")
    lines: int | None = setting(default=None, ge=1, description="At most so many lines of it; default: all.")
    beams: int = setting(default=1, ge=1, description=description_of(Decoding, "beams"))
    longest: int = setting(
        default=200, ge=1, description="Tokens of a translation at most, lowered to what a model can write."
    )


class Retrieval(Strict):
    """Where the translations of sentences are looked for by hidden states, without training.

    Without `folder` and `source` they are looked for among the aligned lines on which hidden states are compared.
    """

    folder: Place | None = setting(
        default=None,
        description="Folder of your own pairs, two files a language, aligned line by line: `en-de.de` and `en-de.en` "
        "(or `de-en`), or `<stem>.de` and `<stem>.en`, where all languages share one file.",
    )
    stem: Place = setting(
        default="test", description="What the names of these files begin with: `<stem>.de`, or `<stem>.de-en.de`."
    )
    source: Source | None = setting(
        default=None,
        description="Of the kind `datasets`: a table a language, a pair a row; `columns` says what its `text` "
        "(in the language) and `translation` (in the source language) are called. Its split is `test`.",
    )
    languages: Names | None = setting(
        default=None,
        description="Languages whose pairs with the source language are taken; default: those of the study that the "
        "folder, or `languages` of the source, has.",
    )
    lines: int = setting(default=2000, ge=8, description="At most so many pairs a language, drawn by `data_seed`.")
    depth: float = setting(
        identity=False,
        default=RETRIEVAL_DEPTH,
        ge=0,
        le=1,
        description="The layer that the table shows, as a share of the model's depth: 0 the embeddings, 1 the last "
        "layer. It is fixed beforehand, because the best layer of each model would be chosen on the results. First and "
        "last layers stand close to words, so it is between: XTREME takes layer 7 of 12 of mBERT and 13 of 24 "
        "of XLM-R large (scripts/run_tatoeba.sh); two thirds are layer 8 of 12, and 3 of 4. The figure has all layers.",
    )
    licence: str | None = setting(
        identity=False, default=None, description="Licence of the pairs, as the table shows it."
    )


class Tokenizer(Strict):
    """A tokenizer that is trained here, or a model's own."""

    vocabulary: int = setting(default=6000, ge=100, description="Entries of one trained here, specials included.")
    sentinels: int = setting(
        default=0, ge=0, description="Entries that stand for hidden spans of text, which span corruption needs."
    )
    model: Name | None = setting(default=None, description="Take this model's own tokenizer instead of training one.")
