"""Published tokenizers as tokenizer folders: text splitting, special tokens, and the tags of languages.

This project writes languages with two letters. mBART-50 and NLLB begin a text with a tag such as `en_XX`; a language
without a tag is null in special.json, never the unknown token. BERT and XLM-R have no tags, so all theirs are null.

T5's family has sentinels `<extra_id_0>`, `<extra_id_1>`, …: special.json lists their ids in this order.

A checkpoint's tokenizer.json is copied where its class is one of the model's declared family. Where there is none,
vocab.txt (BERT) or the sentencepiece model (mBART-50, XLM-R, T5, mT5) is read here. Any other tokenizer is what
transformers makes of it (`any_tokenizer`).
"""

import json
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json
from mtbridge.base.text import read_lines
from mtbridge.data import tokenizers
from mtbridge.models.any_tokenizer import NAMES, read_any, special_ids_of, special_names_of
from mtbridge.models.classes import find_family_of
from mtbridge.models.tokenizer_check import GENERIC, check_tokenizer, class_of
from mtbridge.specs.families import Family, find_family
from mtbridge.specs.language_tags import tag_of

if TYPE_CHECKING:
    from tokenizers import AddedToken, Tokenizer


def special_ids(
    family: Family,
    token_to_id: Callable[[str], int | None],
    languages: Iterable[str],
    where: str | Path,
    source_language: str = "en",
) -> dict[str, Any]:
    """The ids of a published tokenizer's special tokens, of each language's tag, None where it has none, and sentinels.

    Args:
        token_to_id: token -> id, or None where the vocabulary lacks it.
        languages: codes of languages, see `language_tags.tag_of`.
        where: the checkpoint, for messages.
        source_language: the language whose tag replaces missing ones.

    Raises:
        MtbridgeError: a special token is missing, or the tag of the source language.
    """
    sentinels = _sentinels(token_to_id)
    ids = {name: token_to_id(token) for name, token in family.special_tokens.items()}
    if family.special_tokens["mask"] == tokenizers.SENTINEL.format(0) and sentinels:
        ids["mask"] = sentinels[0]
    missing = [family.special_tokens[name] for name, value in ids.items() if value is None]
    if missing:
        raise MtbridgeError(f"{where}: has no {', '.join(missing)}; expected a tokenizer of the family {family.name}")
    tags = family.tags or {}
    tag_of_language = {language: tag_of(tags, language) for language in {source_language, *languages}}
    tag_ids = {language: token_to_id(tag) if tag else None for language, tag in tag_of_language.items()}
    if family.tags is not None and tag_ids[source_language] is None:
        tag = tags.get(source_language, source_language)
        language = "English" if source_language == "en" else source_language
        raise MtbridgeError(
            f"{where}: has no tag {tag} for {language}; expected a tokenizer of the family {family.name}"
        )
    return {**ids, "languages": dict(sorted(tag_ids.items())), **({"sentinels": sentinels} if sentinels else {})}


def _sentinels(token_to_id: Callable[[str], int | None]) -> list[int]:
    """The ids of T5's sentinels, from `<extra_id_0>` on; mT5's are pieces of words, with a mark of a space in front."""
    found: list[int] = []
    while True:
        name = tokenizers.SENTINEL.format(len(found))
        number = next((i for i in map(token_to_id, (name, f"▁{name}")) if i is not None), None)
        if number is None:
            return found
        found.append(number)


def import_tokenizer(
    checkpoint: str | Path,
    family: str | None,
    languages: Iterable[str],
    output: str | Path,
    prefixes: Sequence[str] = (),
) -> None:
    """Write the tokenizer folder (see `data.tokenizers`) of a published checkpoint.

    A declared family's own tokenizer is read here, and compared with transformers'. Any other is what transformers'
    AutoTokenizer makes of it (`any_tokenizer`).

    Warns on stderr of languages without a tag.

    Args:
        checkpoint: folder with config.json and the files of a tokenizer.
        family: name of the model's declared family, for a folder without config.json; None: what config.json says.
        languages: codes of the languages that the study feeds to the model.
        prefixes: what stands before the first text of an input, and before the second; the last holds for all others.

    Raises:
        MtbridgeError: the checkpoint has no tokenizer, one of another family, or one that gives other ids than
            transformers' own (`tokenizer_check`).
    """
    checkpoint = Path(checkpoint)
    spec = find_family(family, checkpoint) if family else find_family_of(checkpoint)
    if spec is not None and (spec.tags is not None or _is_its_own(checkpoint, spec)):
        tokenizer = _read(checkpoint, spec)
        ids = special_ids(spec, tokenizer.token_to_id, languages, checkpoint)
        check_tokenizer(checkpoint, tokenizer, spec)
        # transformers has two names each for the start and the end token.
        config = {alias: spec.special_tokens[key] for key, aliases in NAMES.items() for alias in aliases}
    else:
        tokenizer, reference = read_any(checkpoint)
        ids, config = special_ids_of(reference, languages), special_names_of(reference)
    untagged = [language for language, tag in ids["languages"].items() if tag is None]
    if spec is not None and spec.tags is not None and untagged:
        print(
            f"warning: {checkpoint}: its tokenizer has no tag for {', '.join(untagged)}; such texts get English's",
            file=sys.stderr,
        )
    if prefixes:
        ids["prefixes"] = list(prefixes)
    with atomic_write(output) as folder:
        folder.mkdir()
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "special.json").write_text(json.dumps(ids, indent=1) + "\n")
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **config}, indent=1) + "\n"
        )


def _is_its_own(checkpoint: Path, family: Family) -> bool:
    """Whether a checkpoint's tokenizer is of a class of its model's family: multilingual-e5 is a BERT with XLM-R's."""
    name, _ = class_of(checkpoint)
    if name is not None and name not in GENERIC:
        return name in family.tokenizer_classes
    file = checkpoint / "tokenizer.json"
    if not file.exists():
        return True
    return tokenizers.open_tokenizer(checkpoint).token_to_id(family.special_tokens["start"]) is not None


def _read(checkpoint: Path, family: Family) -> "Tokenizer":
    """The tokenizer of a checkpoint, from the first of `family.tokenizer_files` that exists."""
    name = next((name for name in family.tokenizer_files if (checkpoint / name).exists()), None)
    if name is None:
        raise MtbridgeError(
            f"{checkpoint}: has no tokenizer; expected {' or '.join(family.tokenizer_files[:2])} "
            f"for the family {family.name}: take a revision that has it"
        )
    if name == "tokenizer.json":
        return tokenizers.open_tokenizer(checkpoint)
    read = _read_wordpiece if name == "vocab.txt" else _read_sentencepiece
    return read(checkpoint / name, family)


def _special_tokens(
    names: Mapping[str, str], more: Iterable[str] = (), strip_before_mask: bool = False
) -> "list[AddedToken]":
    """The special tokens as single tokens wherever a text has them, as in the published tokenizers; the mask last.

    strip_before_mask: the mask includes the space before it, as RoBERTa's does.
    """
    from tokenizers import AddedToken

    plain = [*(name for key, name in names.items() if key != "mask"), *more]
    found = [AddedToken(name, special=True, normalized=False) for name in plain]
    mask = [
        AddedToken(name, special=True, normalized=False, lstrip=strip_before_mask)
        for key, name in names.items()
        if key == "mask"
    ]
    return [*found, *mask]


def _read_wordpiece(path: Path, family: Family) -> "Tokenizer":
    """BERT's tokenizer from its vocabulary, vocab.txt."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    settings = path.with_name("tokenizer_config.json")
    config = read_json(settings) if settings.exists() else {}
    # The defaults are those of transformers' BertTokenizer.
    vocabulary = {piece: index for index, piece in enumerate(read_lines(path))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=family.special_tokens["unknown"]))
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=config.get("do_lower_case", True),
        strip_accents=config.get("strip_accents"),
        handle_chinese_chars=config.get("tokenize_chinese_chars", True),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(_special_tokens(family.special_tokens))
    return tokenizer


def _read_sentencepiece(path: Path, family: Family) -> "Tokenizer":
    """A tokenizer from its sentencepiece model: mBART-50's and XLM-R's with fairseq's numbering of ids, or T5's.

    fairseq's order is <s> <pad> </s> <unk>, the pieces without sentencepiece's own three special tokens, the tags,
    <mask>. T5's is that of the model itself, <pad> </s> <unk> first, and then the sentinels that the model lacks.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    try:
        proto = _model_proto(path.read_bytes())
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise MtbridgeError(f"{path}: not readable as a sentencepiece model; fetch it again") from error
    layout = LAYOUTS[family.sentencepiece_ids]
    if proto.type != UNIGRAM or [piece for piece, _ in proto.pieces[:3]] != layout.first:
        raise MtbridgeError(f"{path}: is not laid out as those of {layout.models}; take a tokenizer.json")
    vocabulary, added = layout.arrange(path, proto.pieces, family)
    unknown = next(place for place, (piece, _) in enumerate(vocabulary) if piece == family.special_tokens["unknown"])
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=unknown, byte_fallback=proto.bytes))
    spaces = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.normalizer = (
        normalizers.Sequence([normalizers.Precompiled(proto.normal_forms), spaces]) if proto.normal_forms else spaces
    )
    # Split at spaces first: sentencepiece drops spaces at the end of a text, and Metaspace alone would keep one.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    if proto.bytes:
        tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    tokenizer.add_special_tokens(added)
    return tokenizer


Vocabulary = list[tuple[str, float]]


def _of_fairseq(path: Path, pieces: Vocabulary, family: Family) -> "tuple[Vocabulary, list[AddedToken]]":
    """Every piece with its score, in the order of ids, and the special tokens, in fairseq's numbering."""
    specials, tags = family.special_tokens, (family.tags or {}).values()
    first = [(specials[name], 0.0) for name in ("start", "pad", "end", "unknown")]
    last = [(token, 0.0) for token in (*tags, specials["mask"])]
    return [*first, *pieces[3:], *last], _special_tokens(specials, tags, strip_before_mask=True)


def _of_t5(path: Path, pieces: Vocabulary, family: Family) -> "tuple[Vocabulary, list[AddedToken]]":
    """Every piece with its score, in the order of ids, and the special tokens, in the model's own numbering."""
    settings = path.with_name("tokenizer_config.json")
    config = read_json(settings) if settings.exists() else {}
    # mT5's model has its sentinels among its pieces, and its config says that none are added.
    count = 0 if _sentinels({piece: 0 for piece, _ in pieces}.get) else config.get("extra_ids", 100)
    sentinels = [tokenizers.SENTINEL.format(number) for number in range(count)]
    names = {key: family.special_tokens[key] for key in ("pad", "end", "unknown")}
    return [*pieces, *((name, 0.0) for name in reversed(sentinels))], _special_tokens(names, sentinels)


class Layout(NamedTuple):
    """How a family numbers the pieces of a sentencepiece model."""

    models: str  # for messages
    first: list[str]  # the model's first three pieces
    arrange: "Callable[[Path, Vocabulary, Family], tuple[Vocabulary, list[AddedToken]]]"


LAYOUTS = {
    "fairseq": Layout("mBART-50 and XLM-R", ["<unk>", "<s>", "</s>"], _of_fairseq),
    "own": Layout("T5 and mT5", ["<pad>", "</s>", "<unk>"], _of_t5),
}
UNIGRAM = 1  # sentencepiece's TrainerSpec.ModelType


class Proto(NamedTuple):
    """What a sentencepiece model says."""

    pieces: Vocabulary  # (piece, score), in the order of their ids
    normal_forms: bytes  # the table of characters' normal forms
    type: int
    bytes: bool  # whether signs that no piece has are written as bytes


def _model_proto(data: bytes) -> Proto:
    """The content of a sentencepiece model.

    The numbers of fields come from sentencepiece_model.proto; the encoding is that of protocol buffers.
    """
    pieces, normal_forms, model_type, fallback = [], b"", UNIGRAM, False
    for number, value in _fields(data):
        if number == 1:  # pieces
            piece = dict(_fields(value))
            pieces.append((piece[1].decode("utf-8"), struct.unpack("<f", piece[2])[0] if 2 in piece else 0.0))
        elif number == 2:  # trainer_spec
            trainer = dict(_fields(value))
            model_type, fallback = trainer.get(3, UNIGRAM), bool(trainer.get(35, 0))
        elif number == 3:  # normalizer_spec
            normal_forms = dict(_fields(value)).get(2, b"")
    return Proto(pieces, normal_forms, model_type, fallback)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (number, value) of the fields of a protocol buffer: an int for a varint, bytes for all other types.

    Raises:
        ValueError, IndexError: the data are not a protocol buffer.
    """
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 127) << shift  # seven bits in each byte, the lowest first; the top bit says: more follow
            shift += 7
            if byte < 128:
                return value

    while position < len(data):
        number, wire_type = divmod(varint(), 8)
        if wire_type == 0:
            yield number, varint()
            continue
        # 1 and 5 are fixed-size numbers; 2 has its length in front.
        size = {1: 8, 5: 4}.get(wire_type) or (varint() if wire_type == 2 else None)
        if size is None or position + size > len(data):
            raise ValueError("not a protocol buffer")
        yield number, data[position : position + size]
        position += size
