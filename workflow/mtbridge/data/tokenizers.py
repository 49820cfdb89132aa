"""Tokenizers: how one is trained, opened and identified.

A tokenizer is a folder: `tokenizer.json` (the `tokenizers` library), `special.json` (the ids a model needs: start, end,
pad, mask, unknown, one tag a language, or null where it has none; T5's sentinels, templates of inputs and prefixes of
texts if there are any) and `tokenizer_config.json` (so that `AutoTokenizer` reads the folder too). Which special tokens
stand where is decided by the templates, or else by the model's family.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json

SENTINEL = "<extra_id_{}>"  # T5's name of the token that stands for the n-th hidden span
SPECIALS = {"start": "<s>", "pad": "<pad>", "end": "</s>", "unknown": "<unk>", "mask": "<mask>"}


def digest(folder) -> str:
    """sha256 of the two files that decide a tokenizer's output: tokenizer.json and special.json."""
    folder = Path(folder)
    content = hashlib.sha256()
    for name in ("tokenizer.json", "special.json"):
        try:
            content.update((folder / name).read_bytes())
        except OSError as error:
            raise MtbridgeError(f"{folder / name}: cannot be read ({error.strerror}); is it a tokenizer?") from error
    return content.hexdigest()


def specials(folder) -> dict:
    """The ids of a tokenizer's special tokens by name, and under "languages" those of the language tags."""
    return read_json(Path(folder) / "special.json")


def with_prefix(folder, texts: list[str], place: int = 0) -> list[str]:
    """Texts with what stands before the text at this place of an input, as e5's `query: `; see special.json."""
    prefixes = specials(folder).get("prefixes") or [""]
    prefix = prefixes[min(place, len(prefixes) - 1)]
    return [prefix + text for text in texts] if prefix else texts


def open_tokenizer(folder):
    """The `tokenizers.Tokenizer` of a folder, without padding and truncation. Raises MtbridgeError."""
    from tokenizers import Tokenizer

    path = Path(folder) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise MtbridgeError(f"{path}: not readable as a tokenizer ({error})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def train_tokenizer(
    texts: dict[str, Path], vocabulary: int, output, tagged: Iterable[str] | None = None, sentinels: int = 0
) -> None:
    """Train a byte-free BPE tokenizer (Sennrich et al. 2016) on all languages together and write its folder.

    Not unigram: the library's trainer proposes only pieces of several distinct words, so the commonest words of all
    ("on", "said") would be cut into letters.

    Args:
        texts: language -> text file, one text a line.
        vocabulary: number of entries, specials included.
        tagged: languages that get a tag `<xx>`, also those without text here; None: those of the texts.
        sentinels: number of tokens that stand for hidden spans, the first of them for the first span.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=SPECIALS["unknown"]))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.Metaspace()
    tags = {language: f"<{language}>" for language in sorted(tagged or texts)}
    spans = [SENTINEL.format(number) for number in range(sentinels)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[*SPECIALS.values(), *tags.values(), *spans],
        show_progress=False,
    )
    tokenizer.train([str(texts[language]) for language in sorted(texts)], trainer)
    ids = {
        **{name: tokenizer.token_to_id(token) for name, token in SPECIALS.items()},
        "languages": {language: tokenizer.token_to_id(tag) for language, tag in tags.items()},
        # Without sentinels the file is what it was before there were any.
        **({"sentinels": [tokenizer.token_to_id(token) for token in spans]} if spans else {}),
    }
    names = {"start": "bos_token", "end": "eos_token", "pad": "pad_token", "unknown": "unk_token", "mask": "mask_token"}
    with atomic_write(output) as folder:
        folder.mkdir()
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "special.json").write_text(json.dumps(ids, indent=1) + "\n")
        (folder / "tokenizer_config.json").write_text(
            json.dumps(
                {"tokenizer_class": "PreTrainedTokenizerFast", **{names[name]: SPECIALS[name] for name in names}},
                indent=1,
            )
            + "\n"
        )
