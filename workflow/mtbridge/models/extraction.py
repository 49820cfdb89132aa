"""Makes an encoder folder (see `loading`) from a checkpoint: trained here, published, or already an encoder."""

import json
import re
import shutil
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json
from mtbridge.data import tokenizers
from mtbridge.models import checkpoints
from mtbridge.models.checkpoints import Tensors
from mtbridge.models.classes import family_of
from mtbridge.models.loading import build
from mtbridge.specs.families import Family


def encoder_places(checkpoint: str | Path, tensors: Tensors) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The encoder's tensors in a checkpoint: name in the encoder class -> (name in the checkpoint, shape).

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
    """Write an encoder folder from a checkpoint.

    Tensors are copied from file to file in blocks; the decoder is not read, and no model is built in memory.

    Args:
        checkpoint: folder with config.json and weights, as `save_pretrained` or `hub.fetch` writes it.
        tokenizer: tokenizer folder (`data.tokenizers`); its vocabulary must fit the embeddings.
        card: facts about the model that are not in its files (model, label, kind, base, source …). card.json has
            these, the content of a fetched checkpoint's source.json (repo, revision, commit, files), the record of a
            pretraining here (tokens, updates, FLOPs, batches), and the sizes.

    Raises:
        MtbridgeError: see `encoder_places`; or the tokenizer has more entries than there are embeddings.
    """
    checkpoint = Path(checkpoint)
    family = family_of(checkpoint)
    tensors = Tensors(checkpoint)
    places = encoder_places(checkpoint, tensors)
    vocabulary, _ = places[family.word_embeddings][1]
    # Published tables are often padded to a round number of rows, so more embeddings than entries are normal.
    size = tokenizers.open_tokenizer(tokenizer).get_vocab_size()
    if size > vocabulary:
        raise MtbridgeError(
            f"{checkpoint}: {vocabulary} embeddings for the {size} entries of {tokenizer}; "
            "it was trained with another tokenizer"
        )
    source, record = checkpoint / "source.json", checkpoints.pretraining_record(checkpoint)
    with atomic_write(output) as folder:
        folder.mkdir()
        old_names = {key: place for key, (place, _) in places.items()}
        digest = checkpoints.write(tensors, old_names, folder / "model.safetensors")
        shutil.copyfile(checkpoint / "config.json", folder / "config.json")
        for file in ("tokenizer.json", "tokenizer_config.json", "special.json"):
            shutil.copyfile(Path(tokenizer) / file, folder / file)
        card = {
            **card,
            **(read_json(source) if source.exists() else {}),
            **_describe(family, read_json(checkpoint / "config.json"), places, tokenizer),
            "pretraining": record and {key: record[key] for key in record if key not in ("loss", "seconds")},
            "sha256": digest,
        }
        (folder / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _describe(family: Family, config: dict, places: dict, tokenizer: str | Path) -> dict:
    """The card's entries about an encoder's sizes, languages and tokenizer."""
    vocabulary, width = places[family.word_embeddings][1]
    tags = tokenizers.specials(tokenizer)["languages"]
    return {
        "family": family.name,
        "layers": config.get(family.config_keys["layers"][0]),
        "hidden_size": width,
        "parameters": {
            "embeddings": vocabulary * width,
            "body": int(sum(np.prod(shape) for _, shape in places.values())) - vocabulary * width,
        },
        # A family without tags takes every language.
        "languages": sorted(language for language, tag in tags.items() if tag is not None or family.tags is None),
        "tokenizer": tokenizers.digest(tokenizer),
    }
