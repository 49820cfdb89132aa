"""Published tokenizers as tokenizer folders: their text splitting, their specials, and how they name languages.

Languages are two letters here. mBART-50 and NLLB begin a text with a tag of its language under a name of their own;
a language without one is null, never the unknown token. BERT and XLM-R take no tag: all theirs are null.

A checkpoint's tokenizer.json is taken as it is. From one without, vocab.txt (BERT) or the sentencepiece model
(mBART-50, XLM-R) is read; transformers would need the packages sentencepiece and protobuf for it.
"""

import json
import struct
import sys
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json
from mtbridge.base.text import read_lines
from mtbridge.data import tokenizers
from mtbridge.specs.families import Family, find_family


def special_ids(family: Family, token_to_id, languages, where, source_language: str = "en") -> dict:
    """The ids of a published tokenizer's specials, and of each language's tag, null where it has none.

    Args:
        token_to_id: token -> id, or None where the vocabulary lacks it.
        languages: two-letter codes.
        where: what an error is about.
        source_language: the language whose tag stands in for missing ones.

    Raises:
        MtbridgeError: a special is missing, or the tag of the source language, without which no text can be fed.
    """
    ids = {name: token_to_id(token) for name, token in family.special_tokens.items()}
    missing = [family.special_tokens[name] for name, value in ids.items() if value is None]
    if missing:
        raise MtbridgeError(f"{where}: has no {', '.join(missing)}; expected a tokenizer of the family {family.name}")
    tags = family.tags or {}
    found = {
        language: token_to_id(tags[language]) if language in tags else None
        for language in {source_language, *languages}
    }
    if family.tags is not None and found[source_language] is None:
        tag = tags.get(source_language, source_language)
        language = "English" if source_language == "en" else source_language
        raise MtbridgeError(
            f"{where}: has no tag {tag} for {language}; expected a tokenizer of the family {family.name}"
        )
    return {**ids, "languages": dict(sorted(found.items()))}


def import_tokenizer(checkpoint, family: str, languages, output) -> None:
    """Write the tokenizer folder (see `data.tokenizers`) of a published checkpoint.

    One line warns of languages without a tag.

    Args:
        checkpoint: folder with tokenizer.json, or vocab.txt or a sentencepiece model.
        family: name of the model's family, which decides the specials and the tags.
        languages: those that will be fed, two letters each.

    Raises:
        MtbridgeError: no tokenizer, or one that is not of this family.
    """
    checkpoint = Path(checkpoint)
    kind = find_family(family, checkpoint)
    tokenizer = _read(checkpoint, kind)
    ids = special_ids(kind, tokenizer.token_to_id, languages, checkpoint)
    unknown = [language for language, tag in ids["languages"].items() if tag is None]
    if kind.tags is not None and unknown:
        print(
            f"warning: {checkpoint}: its tokenizer has no tag for {', '.join(unknown)}; such texts get English's",
            file=sys.stderr,
        )
    names = {"start": ("bos", "cls"), "end": ("eos", "sep"), "pad": ("pad",), "mask": ("mask",), "unknown": ("unk",)}
    config = {f"{name}_token": kind.special_tokens[key] for key, several in names.items() for name in several}
    with atomic_write(output) as folder:
        folder.mkdir()
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "special.json").write_text(json.dumps(ids, indent=1) + "\n")
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **config}, indent=1) + "\n"
        )


def _read(checkpoint: Path, family: Family):
    """The `tokenizers.Tokenizer` of a checkpoint, from the best of the files that the family's can be read from."""
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


def _add_specials(tokenizer, names, tags=(), strip_before_mask: bool = False) -> None:
    """Texts may hold these as they stand, as in the published tokenizers; some masks take the space before them."""
    from tokenizers import AddedToken

    plain = [name for key, name in names.items() if key != "mask"]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in (*plain, *tags)])
    mask = AddedToken(names["mask"], special=True, normalized=False, lstrip=strip_before_mask)
    tokenizer.add_special_tokens([mask])


def _read_wordpiece(path: Path, family: Family):
    """BERT's tokenizer from its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    settings = path.with_name("tokenizer_config.json")
    config = read_json(settings) if settings.exists() else {}
    vocabulary = {piece: index for index, piece in enumerate(read_lines(path))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=family.special_tokens["unknown"]))
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=config.get("do_lower_case", True),
        strip_accents=config.get("strip_accents"),
        handle_chinese_chars=config.get("tokenize_chinese_chars", True),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    _add_specials(tokenizer, family.special_tokens)
    return tokenizer


def _read_sentencepiece(path: Path, family: Family):
    """mBART-50's or XLM-R's tokenizer from its sentencepiece model, ids as fairseq numbers them.

    <s> <pad> </s> <unk>, the pieces but sentencepiece's own three specials, the tags, <mask>.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    try:
        pieces, characters, kind = _model_proto(path.read_bytes())
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise MtbridgeError(f"{path}: not readable as a sentencepiece model; fetch it again") from error
    if kind != UNIGRAM or [piece for piece, _ in pieces[:3]] != ["<unk>", "<s>", "</s>"]:
        raise MtbridgeError(f"{path}: is not laid out as those of mBART-50 and XLM-R; take a tokenizer.json")
    specials, tags = family.special_tokens, (family.tags or {}).values()
    first = [(specials[name], 0.0) for name in ("start", "pad", "end", "unknown")]
    last = [(token, 0.0) for token in (*tags, specials["mask"])]
    tokenizer = Tokenizer(models.Unigram([*first, *pieces[3:], *last], unk_id=3))
    spaces = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(characters), spaces]) if characters else spaces
    # Split at spaces first: sentencepiece drops those at the end of a text, Metaspace alone would keep one.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    _add_specials(tokenizer, specials, tags, strip_before_mask=True)
    return tokenizer


UNIGRAM = 1  # sentencepiece's TrainerSpec.ModelType


def _model_proto(data: bytes) -> tuple[list[tuple[str, float]], bytes, int]:
    """(piece, score) of every piece, the table of characters' normal forms, and the kind of a sentencepiece model.

    The fields' numbers are those of sentencepiece_model.proto; the encoding is that of protocol buffers.
    """
    pieces, characters, kind = [], b"", UNIGRAM
    for number, value in _fields(data):
        if number == 1:
            piece = dict(_fields(value))
            pieces.append((piece[1].decode("utf-8"), struct.unpack("<f", piece[2])[0] if 2 in piece else 0.0))
        elif number == 2:
            kind = dict(_fields(value)).get(3, UNIGRAM)
        elif number == 3:
            characters = dict(_fields(value)).get(2, b"")
    return pieces, characters, kind


def _fields(data: bytes):
    """Yield (number, value) of a protocol buffer: an int for a varint, bytes for everything else."""

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    at = 0
    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(key & 7) or (varint() if key & 7 == 2 else None)
        if size is None or at + size > len(data):
            raise ValueError("not a protocol buffer")
        yield key >> 3, data[at : at + size]
        at += size
