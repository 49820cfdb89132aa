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

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.files import read_json, whole
from mtbridge.base.text import read_lines
from mtbridge.data import tokenizers

# mBART-50 (Tang et al. 2020), in the order of its vocabulary, where the tags stand behind the pieces.
MBART50 = (
    *("ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN", "it_IT", "ja_XX"),
    *("kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN"),
    *("zh_CN", "af_ZA", "az_AZ", "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE", "km_KH", "mk_MK", "ml_IN"),
    *("mn_MN", "mr_IN", "pl_PL", "ps_AF", "pt_XX", "sv_SE", "sw_KE", "ta_IN", "te_IN", "th_TH", "tl_XX", "uk_UA"),
    *("ur_PK", "xh_ZA", "gl_ES", "sl_SI"),
)

# NLLB-200 (NLLB Team 2022): three letters and the script. Where a language has several, the one of XNLI and UD.
NLLB = {
    **{"af": "afr_Latn", "ar": "arb_Arab", "az": "azj_Latn", "be": "bel_Cyrl", "bg": "bul_Cyrl", "bn": "ben_Beng"},
    **{"ca": "cat_Latn", "cs": "ces_Latn", "cy": "cym_Latn", "da": "dan_Latn", "de": "deu_Latn", "el": "ell_Grek"},
    **{"en": "eng_Latn", "es": "spa_Latn", "et": "est_Latn", "eu": "eus_Latn", "fa": "pes_Arab", "fi": "fin_Latn"},
    **{"fr": "fra_Latn", "ga": "gle_Latn", "gl": "glg_Latn", "gu": "guj_Gujr", "he": "heb_Hebr", "hi": "hin_Deva"},
    **{"hr": "hrv_Latn", "hu": "hun_Latn", "hy": "hye_Armn", "id": "ind_Latn", "is": "isl_Latn", "it": "ita_Latn"},
    **{"ja": "jpn_Jpan", "ka": "kat_Geor", "kk": "kaz_Cyrl", "km": "khm_Khmr", "ko": "kor_Hang", "lt": "lit_Latn"},
    **{"lv": "lvs_Latn", "mk": "mkd_Cyrl", "ml": "mal_Mlym", "mn": "khk_Cyrl", "mr": "mar_Deva", "mt": "mlt_Latn"},
    **{"my": "mya_Mymr", "ne": "npi_Deva", "nl": "nld_Latn", "no": "nob_Latn", "pl": "pol_Latn", "ps": "pbt_Arab"},
    **{"pt": "por_Latn", "ro": "ron_Latn", "ru": "rus_Cyrl", "si": "sin_Sinh", "sk": "slk_Latn", "sl": "slv_Latn"},
    **{"sr": "srp_Cyrl", "sv": "swe_Latn", "sw": "swh_Latn", "ta": "tam_Taml", "te": "tel_Telu", "th": "tha_Thai"},
    **{"tl": "tgl_Latn", "tr": "tur_Latn", "uk": "ukr_Cyrl", "ur": "urd_Arab", "vi": "vie_Latn", "xh": "xho_Latn"},
    **{"zh": "zho_Hans"},
}

# family -> language -> tag; no entry: the family takes no tags
TAGS = {"mbart": {code[:2]: code for code in MBART50}, "m2m_100": NLLB}

BERT = {"start": "[CLS]", "end": "[SEP]", "pad": "[PAD]", "mask": "[MASK]", "unknown": "[UNK]"}
SENTENCEPIECE = {"start": "<s>", "end": "</s>", "pad": "<pad>", "mask": "<mask>", "unknown": "<unk>"}
SPECIALS = {"bert": BERT, "xlm-roberta": SENTENCEPIECE, "mbart": SENTENCEPIECE, "m2m_100": SENTENCEPIECE}


def special_ids(family: str, token_to_id, languages, where) -> dict:
    """The ids of a published tokenizer's specials, and of each language's tag, null where it has none.

    Args:
        token_to_id: token -> id, or None where the vocabulary lacks it.
        languages: two-letter codes.
        where: what an error is about.

    Raises:
        MtbridgeError: a special is missing, or the tag of English, without which no text can be fed.
    """
    if family not in SPECIALS:
        raise MtbridgeError(f"{where}: family '{family}' is not known here; {nearest(family, SPECIALS)}")
    ids = {name: token_to_id(token) for name, token in SPECIALS[family].items()}
    missing = [SPECIALS[family][name] for name, value in ids.items() if value is None]
    if missing:
        raise MtbridgeError(f"{where}: has no {', '.join(missing)}; expected a tokenizer of the family {family}")
    tags = TAGS.get(family)
    found = {
        language: token_to_id(tags[language]) if tags and language in tags else None for language in {"en", *languages}
    }
    if tags and token_to_id(tags["en"]) is None:
        raise MtbridgeError(f"{where}: has no tag {tags['en']} for English; expected a tokenizer of mBART-50 or NLLB")
    return {**ids, "languages": dict(sorted(found.items()))}


def import_tokenizer(checkpoint, family: str, languages, output) -> None:
    """Write the tokenizer folder (see `tokens`) of a published checkpoint; one line warns of languages without a tag.

    Args:
        checkpoint: folder with tokenizer.json, or vocab.txt or a sentencepiece model.
        family: of the model, which decides the specials and the tags.
        languages: those that will be fed, two letters each.

    Raises:
        MtbridgeError: no tokenizer, or one that is not of this family.
    """
    checkpoint = Path(checkpoint)
    if family not in SPECIALS:
        raise MtbridgeError(f"{checkpoint}: family '{family}' is not known here; {nearest(family, SPECIALS)}")
    tokenizer = _read(checkpoint, family)
    ids = special_ids(family, tokenizer.token_to_id, languages, checkpoint)
    unknown = [language for language, tag in ids["languages"].items() if tag is None]
    if family in TAGS and unknown:
        print(
            f"warning: {checkpoint}: its tokenizer has no tag for {', '.join(unknown)}; such texts get English's",
            file=sys.stderr,
        )
    names = {"start": ("bos", "cls"), "end": ("eos", "sep"), "pad": ("pad",), "mask": ("mask",), "unknown": ("unk",)}
    config = {f"{name}_token": SPECIALS[family][key] for key, several in names.items() for name in several}
    with whole(output) as folder:
        folder.mkdir()
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "special.json").write_text(json.dumps(ids, indent=1) + "\n")
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **config}, indent=1) + "\n"
        )


def _read(checkpoint: Path, family: str):
    """The `tokenizers.Tokenizer` of a checkpoint."""
    if (checkpoint / "tokenizer.json").exists():
        return tokenizers.open_tokenizer(checkpoint)
    if family == "bert" and (checkpoint / "vocab.txt").exists():
        return _wordpiece(checkpoint)
    models = [checkpoint / f"{name}.model" for name in ("sentencepiece.bpe", "sentencepiece", "spiece")]
    model = next((path for path in models if path.exists()), None)
    if family in ("mbart", "xlm-roberta") and model:
        return _sentencepiece(model, MBART50 if family == "mbart" else [])
    expected = {"bert": "tokenizer.json or vocab.txt", "m2m_100": "tokenizer.json"}
    raise MtbridgeError(
        f"{checkpoint}: has no tokenizer; expected {expected.get(family, 'tokenizer.json or sentencepiece.bpe.model')} "
        f"for the family {family}: take a revision that has it"
    )


def _specials(tokenizer, names: dict, others=()) -> None:
    """Texts may hold these as they stand, as in the published tokenizers; the mask takes the space before it."""
    from tokenizers import AddedToken

    plain = [name for key, name in names.items() if key != "mask"]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in (*plain, *others)])
    left = names["mask"] == SENTENCEPIECE["mask"]
    tokenizer.add_special_tokens([AddedToken(names["mask"], special=True, normalized=False, lstrip=left)])


def _wordpiece(checkpoint: Path):
    """BERT's tokenizer from its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    path = checkpoint / "tokenizer_config.json"
    config = read_json(path) if path.exists() else {}
    vocabulary = {piece: index for index, piece in enumerate(read_lines(checkpoint / "vocab.txt"))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=BERT["unknown"]))
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=config.get("do_lower_case", True),
        strip_accents=config.get("strip_accents"),
        handle_chinese_chars=config.get("tokenize_chinese_chars", True),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    _specials(tokenizer, BERT)
    return tokenizer


def _sentencepiece(path: Path, tags):
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
    first = [(SENTENCEPIECE[name], 0.0) for name in ("start", "pad", "end", "unknown")]
    last = [(token, 0.0) for token in (*tags, SENTENCEPIECE["mask"])]
    tokenizer = Tokenizer(models.Unigram([*first, *pieces[3:], *last], unk_id=3))
    spaces = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(characters), spaces]) if characters else spaces
    # Split at spaces first: sentencepiece drops those at the end of a text, Metaspace alone would keep one.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    _specials(tokenizer, SENTENCEPIECE, tags)
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
