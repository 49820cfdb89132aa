"""Makes an encoder folder (see `loading`) from a checkpoint: trained here, published, or already an encoder."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json, sha256
from mtbridge.data import tokenizers
from mtbridge.models import any_encoder, checkpoints
from mtbridge.models.checkpoints import Tensors
from mtbridge.models.classes import family_of, find_family_of
from mtbridge.models.loading import build, fill
from mtbridge.models.trial import try_encoder
from mtbridge.specs.families import Family


def encoder_places(checkpoint: str | Path, tensors: Tensors) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The encoder's tensors in a checkpoint of a declared family: name in its class -> (name in the file, shape).

    Raises:
        MtbridgeError: a tensor is missing, has another shape than config.json says, or belongs to a layer that
            config.json does not have.
    """
    family = family_of(checkpoint)
    expected = {key: tuple(value.shape) for key, value in build(checkpoint).state_dict().items()}
    # The word embeddings may be stored under another module's name, so any other tensor tells the prefix.
    body = next(key for key in expected if key != family.word_embeddings)
    prefix = next((prefix for prefix in family.prefixes if prefix + body in tensors), None)
    if prefix is None:
        raise MtbridgeError(
            f"{checkpoint}: holds no encoder of the family {family.name} (no tensor '{family.prefixes[0]}{body}')"
        )
    tied = read_json(Path(checkpoint) / "config.json").get("tie_word_embeddings", True)
    places = {}
    for key, shape in expected.items():
        others = family.tied_embeddings if tied else family.shared_embeddings
        candidates = [prefix + key, *(others if key == family.word_embeddings else ())]
        place = next((name for name in candidates if name in tensors), None)
        if place is None:
            raise MtbridgeError(f"{checkpoint}: tensor '{prefix}{key}' is missing; the checkpoint is incomplete")
        if tensors.shape(place) != shape:
            raise MtbridgeError(
                f"{checkpoint}: tensor '{place}' has shape {tensors.shape(place)}, config.json says {shape}"
            )
        places[key] = (place, shape)
    layer = re.compile(re.escape(prefix) + re.escape(family.layer).replace(r"\{\}", r"\d+") + r"\.")
    surplus = sorted(key for key in tensors if layer.match(key) and key.removeprefix(prefix) not in expected)
    if surplus:
        raise MtbridgeError(f"{checkpoint}: tensor '{surplus[0]}' has no place in the model that config.json describes")
    return places


def extract_encoder(checkpoint: str | Path, tokenizer: str | Path, output: str | Path, card: dict) -> None:
    """Write an encoder folder from a checkpoint, and try the encoder (`trial`).

    Of a declared family tensors are copied from file to file in blocks, and the decoder is not read. An encoder of
    another architecture is opened by transformers (`any_encoder`).

    Args:
        checkpoint: folder with config.json and weights, as `save_pretrained` or `hub.fetch` writes it.
        tokenizer: tokenizer folder (`data.tokenizers`); its vocabulary must fit the embeddings.
        card: facts about the model that are not in its files (model, label, kind, base, source …). card.json has
            these, the content of a fetched checkpoint's source.json (repo, revision, commit, files), the record of a
            pretraining here (tokens, updates, FLOPs, batches), the sizes, and what the trial found.

    Raises:
        MtbridgeError: see `encoder_places`, `any_encoder.load` and `try_encoder`; or the tokenizer has more entries
            than there are embeddings.
    """
    checkpoint = Path(checkpoint)
    family = find_family_of(checkpoint)
    source, record = checkpoint / "source.json", checkpoints.pretraining_record(checkpoint)
    with atomic_write(output) as folder:
        folder.mkdir()
        write = _write_any if family is None else _write_declared
        digest = write(checkpoint, Path(tokenizer), folder / "model.safetensors")
        shutil.copyfile(checkpoint / "config.json", folder / "config.json")
        for file in ("tokenizer.json", "tokenizer_config.json", "special.json"):
            shutil.copyfile(Path(tokenizer) / file, folder / file)
        encoder = fill(build(folder), folder)
        name = family.name if family else read_json(checkpoint / "config.json")["model_type"]
        trial = try_encoder(encoder, checkpoint)
        card = {
            **card,
            **(read_json(source) if source.exists() else {}),
            "family": name,
            **_sizes(encoder),
            "languages": _languages(family, tokenizer),
            "tokenizer": tokenizers.digest(tokenizer),
            **trial.facts(),
            "pretraining": record and {key: record[key] for key in record if key not in ("loss", "seconds")},
            "sha256": digest,
        }
        (folder / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_declared(checkpoint: Path, tokenizer: Path, file: Path) -> str:
    """Copy the encoder of a declared family out of its checkpoint; the sha256 of the new file."""
    tensors = Tensors(checkpoint)
    places = encoder_places(checkpoint, tensors)
    _check_vocabulary(checkpoint, tokenizer, places[family_of(checkpoint).word_embeddings][1][0])
    return checkpoints.write(tensors, {key: place for key, (place, _) in places.items()}, file)


def _write_any(checkpoint: Path, tokenizer: Path, file: Path) -> str:
    """Write the weights of the encoder that transformers finds in a checkpoint; the sha256 of the file."""
    import torch
    from safetensors.torch import save_file

    encoder = any_encoder.load(checkpoint)
    _check_vocabulary(checkpoint, tokenizer, len(encoder.get_input_embeddings().weight))
    tensors = {key: value.detach().clone().contiguous() for key, value in encoder.state_dict().items()}
    for key, value in tensors.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise MtbridgeError(
                f"{checkpoint}: tensor '{key}' has values that are not finite; expected finite weights: get the "
                "checkpoint again"
            )
    save_file(tensors, file, metadata={"format": "pt"})
    return sha256(file)


def _check_vocabulary(checkpoint: Path, tokenizer: Path, vocabulary: int) -> None:
    """Published tables are often padded to a round number of rows, so more embeddings than entries are normal."""
    size = tokenizers.open_tokenizer(tokenizer).get_vocab_size()
    if size > vocabulary:
        raise MtbridgeError(
            f"{checkpoint}: {vocabulary} embeddings for the {size} entries of {tokenizer}; "
            "it was trained with another tokenizer"
        )


def _sizes(encoder: Any) -> dict[str, Any]:
    """The card's entry about an encoder's parameters."""
    embeddings = encoder.get_input_embeddings().weight.numel()
    total = sum(parameter.numel() for parameter in encoder.parameters())
    return {"parameters": {"embeddings": embeddings, "body": total - embeddings}}


def _languages(family: Family | None, tokenizer: str | Path) -> list[str]:
    """The languages that an encoder takes. One without tags takes every language."""
    tags = tokenizers.specials(tokenizer)["languages"]
    tagged = family is not None and family.tags is not None
    return sorted(language for language, tag in tags.items() if tag is not None or not tagged)
