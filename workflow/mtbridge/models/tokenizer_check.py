"""Whether an imported tokenizer gives what transformers' own gives, so that no checkpoint is fed ids it never saw.

A checkpoint's files can disagree: a class in tokenizer_config.json that splits texts otherwise than tokenizer.json or
vocab.txt do, `do_lower_case` against the normalizer of tokenizer.json, added tokens that only one file has. So a few
texts are tokenized both ways. Where transformers cannot open the tokenizer (it wants a package that is not installed,
or code of the repository), its class must be one that is read here exactly, `Family.tokenizer_classes`.

What it gives up: differences on texts unlike these. They are in several scripts, with capitals, accents, numbers and
punctuation, and each added token stands once in one.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.specs.families import Family

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PROBES = (
    "The cat doesn't see 12,345 small dogs; it's 3.5 km away (so they say)!",
    "Ein Mädchen in Köln ISST Äpfel – für 9,99 €.",
    "Où est l'élève français ? ¿Dónde está el niño?",
    "Кошка видит маленькую собаку в Москве.",
    "القط يرى الكلب. बिल्ली कुत्ते को देखती है।",
    "猫看见一只小狗。ネコが犬を見た。",
    "naïve café e-mail@example.org AB12c",
)
# Classes that read tokenizer.json as it is.
GENERIC = ("PreTrainedTokenizer", "TokenizersBackend")
ADDED = 200  # at most so many added tokens are tried
REMEDY = (
    "save the tokenizer again with AutoTokenizer.from_pretrained(…).save_pretrained(…), or take a revision whose files "
    "agree"
)


def check_tokenizer(checkpoint: Path, tokenizer: "Tokenizer", family: Family) -> None:
    """Compare a tokenizer that was read from a checkpoint with transformers' own of the checkpoint.

    Raises:
        MtbridgeError: they differ on a text; or transformers cannot open it, and its class is not supported.
    """
    name, needs_code = class_of(checkpoint)
    known = name is None or name in (*family.tokenizer_classes, *GENERIC)
    reference, reason = None, "it needs code of its own"
    if known or not needs_code:
        try:
            reference = open_with_transformers(checkpoint)
        except Exception as error:  # whatever transformers, the tokenizers library or a missing package raises
            reason = f"transformers cannot open it: {str(error)[:80]}"
    if reference is None:
        if known:
            return
        supported = ", ".join(family.tokenizer_classes)
        raise MtbridgeError(
            f"{checkpoint}/tokenizer_config.json: tokenizer_class '{name}' is not supported ({reason}); expected "
            f"{supported}, for the family {family.name}"
        )
    _check_texts(checkpoint, tokenizer, family, reference)
    # Only tagged families of a known class are spared: their tags depend on settings, which the template knows.
    if family.tags is None or not known:
        _check_template(checkpoint, tokenizer, family, reference)


def class_of(checkpoint: Path) -> tuple[str | None, bool]:
    """The tokenizer's class by the checkpoint's files, without `Fast` (None: they name none); is it code of its own?"""
    for file in ("tokenizer_config.json", "config.json"):
        content = read_json(checkpoint / file) if (checkpoint / file).exists() else None
        name = content.get("tokenizer_class") if isinstance(content, dict) else None
        if isinstance(content, dict) and isinstance(name, str):
            return name.removesuffix("Fast"), "AutoTokenizer" in (content.get("auto_map") or ())
    return None, False


def open_with_transformers(checkpoint: Path) -> Any:
    """transformers' own tokenizer of a checkpoint: no network, and no code of the checkpoint."""
    from transformers import AutoTokenizer
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # it would advise to install packages, which this project does not need
    try:
        return AutoTokenizer.from_pretrained(str(checkpoint), local_files_only=True, trust_remote_code=False)
    finally:
        logging.set_verbosity(verbosity)


def encode(reference: Any, *texts: str, special: bool = False) -> list[int]:
    """The ids of a text, or of a pair of texts, by transformers' tokenizer."""
    return list(reference(*texts, add_special_tokens=special, padding=False, truncation=False)["input_ids"])


def _check_texts(checkpoint: Path, tokenizer: "Tokenizer", family: Family, reference: Any) -> None:
    """Both give the same ids for all probes, and for a text with each added token."""
    added = sorted(
        set(reference.get_added_vocab()) - set(family.special_tokens.values()) - set((family.tags or {}).values())
    )
    for token in added[:ADDED]:
        if tokenizer.token_to_id(token) != reference.convert_tokens_to_ids(token):
            raise MtbridgeError(f"{checkpoint}: its files do not agree on the added token '{token}'; {REMEDY}")
    spells_bytes = json.loads(tokenizer.to_str())["model"].get("byte_fallback", False)
    for text in (*PROBES, *(f"cat {token} dog" for token in added[:ADDED])):
        ours, theirs = tokenizer.encode(text, add_special_tokens=False).ids, encode(reference, text)
        # A sentencepiece model may spell an unknown sign in bytes; transformers' conversion has an unknown token there.
        if spells_bytes and reference.unk_token_id in theirs:
            continue
        if ours != theirs:
            raise MtbridgeError(
                f"{checkpoint}: the files of its tokenizer do not agree: '{text}' is {_start(ours)} as they are read "
                f"here, and {_start(theirs)} by transformers' {type(reference).__name__}; {REMEDY}"
            )


def _check_template(checkpoint: Path, tokenizer: "Tokenizer", family: Family, reference: Any) -> None:
    """transformers puts the special tokens where the family's templates have them, around one text and between two."""
    texts = {"A": PROBES[0], "B": PROBES[1]}
    ids = {key: encode(reference, text) for key, text in texts.items()}  # that they are ours too is checked before
    specials = {
        "S": family.special_tokens["start"],
        "E": family.special_tokens["end"],
        "T": (family.tags or {}).get("en"),
    }
    ids |= {key: [cast(int, tokenizer.token_to_id(token))] for key, token in specials.items() if token}
    for template in (family.single, family.pair):
        expected = [index for piece in template for index in ids[piece]]
        found = encode(reference, *(texts[piece] for piece in template if piece in texts), special=True)
        if found != expected:
            raise MtbridgeError(
                f"{checkpoint}: transformers' {type(reference).__name__} puts special tokens elsewhere than the family "
                f"{family.name} does ({_start(found)} … {found[-1]}, expected {_start(expected)} … {expected[-1]}); "
                "expected a tokenizer of this family"
            )


def _start(ids: list[int]) -> str:
    """The first ids, for a message."""
    return f"{ids[:8]}" if len(ids) <= 8 else f"{str(ids[:8])[:-1]}, …]"
