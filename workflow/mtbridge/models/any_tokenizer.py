"""Published tokenizers of any class: what transformers' AutoTokenizer gives is what models are fed.

The tokenizer is opened by transformers once, at import. It is kept as the `tokenizers` library reads it, with the
special tokens around one text and two as ids and token types. Classes without such a form (written in Python alone, or
with code of their own) are refused.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbridge.base.errors import MtbridgeError, brief
from mtbridge.models.tokenizer_check import PROBES, class_of, encode, open_with_transformers

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# transformers' names of special tokens, by ours; the first that a tokenizer has.
NAMES = {
    "start": ("cls_token", "bos_token"),
    "end": ("sep_token", "eos_token"),
    "pad": ("pad_token",),
    "mask": ("mask_token",),
    "unknown": ("unk_token",),
}
SAVE_AGAIN = "save it with AutoTokenizer.from_pretrained(…).save_pretrained(…), or take a revision with tokenizer.json"


def read_any(checkpoint: Path) -> "tuple[Tokenizer, Any]":
    """The tokenizer of a checkpoint, as the `tokenizers` library and as transformers has it.

    Raises:
        MtbridgeError: transformers cannot open it, it has no form for the library, or that form gives other ids.
    """
    import transformers
    from tokenizers import Tokenizer

    name, needs_code = class_of(checkpoint)
    # Without its code AutoTokenizer would take another class, by the model's type.
    if name is not None and not {name, f"{name}Fast"} & set(dir(transformers)):
        reason = "it needs code of its own" if needs_code else "transformers does not have it"
        raise MtbridgeError(f"{checkpoint}: tokenizer_class '{name}' is not supported ({reason}); {SAVE_AGAIN}")
    try:
        reference = open_with_transformers(checkpoint)
    except Exception as error:  # whatever transformers, the tokenizers library or a missing package raises
        raise MtbridgeError(
            f"{checkpoint}: transformers cannot open its tokenizer ({brief(error)}); {SAVE_AGAIN}"
        ) from error
    backend = getattr(reference, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise MtbridgeError(
            f"{checkpoint}: its tokenizer, {type(reference).__name__}, is written in Python alone; expected one that "
            "the tokenizers library can read (tokenizer.json)"
        )
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    for text in PROBES:
        if tokenizer.encode(text, add_special_tokens=False).ids != encode(reference, text):
            raise MtbridgeError(
                f"{checkpoint}: transformers' {type(reference).__name__} does more than tokenizer.json says: '{text}' "
                f"has other ids; {SAVE_AGAIN}"
            )
    return tokenizer, reference


def special_ids_of(reference: Any, languages: Iterable[str]) -> dict[str, Any]:
    """special.json of a tokenizer without language tags: its special tokens, None where it has none, and templates."""
    tokens = special_names_of(reference)
    found = {
        name: next((tokens[alias] for alias in aliases if alias in tokens), None) for name, aliases in NAMES.items()
    }
    ids = {name: None if token is None else reference.convert_tokens_to_ids(token) for name, token in found.items()}
    templates = {"single": _template(reference, PROBES[:1]), "pair": _template(reference, PROBES[:2])}
    return {**ids, "languages": dict.fromkeys(sorted(languages)), "templates": templates}


def special_names_of(reference: Any) -> dict[str, str]:
    """The entries of tokenizer_config.json that name the special tokens."""
    names = {alias for aliases in NAMES.values() for alias in aliases}
    return {name: str(token) for name, token in reference.special_tokens_map.items() if name in names}


def _template(reference: Any, texts: tuple[str, ...]) -> dict[str, list]:
    """What stands before, between and after the texts: {pieces: ids, and A and B for the texts; types: of each}.

    Raises:
        MtbridgeError: the texts are not found as they are alone, or a text has several token types.
    """
    found = reference(*texts, add_special_tokens=True, padding=False, truncation=False, return_token_type_ids=True)
    ids, types = list(found["input_ids"]), list(found.get("token_type_ids") or [0] * len(found["input_ids"]))
    pieces: list[str | int] = []
    kinds: list[int] = []
    place = 0
    for name, text in zip("AB", texts, strict=False):
        own = encode(reference, text)
        start = next((i for i in range(place, len(ids)) if ids[i : i + len(own)] == own), None)
        if start is None or len(set(types[start : start + len(own)])) != 1:
            raise MtbridgeError(
                f"{reference.name_or_path}: {type(reference).__name__} gives '{text}' otherwise between special "
                "tokens than alone; this tokenizer is not supported"
            )
        pieces += [*ids[place:start], name]
        kinds += [*types[place:start], types[start]]
        place = start + len(own)
    return {"pieces": [*pieces, *ids[place:]], "types": [*kinds, *types[place:]]}
