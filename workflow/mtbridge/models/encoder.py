"""The encoder: how any checkpoint becomes one folder, and how that folder is read, fed and pooled.

An encoder folder holds `config.json`, `model.safetensors` (the encoder's tensors under the encoder class's own names),
the tokenizer's files and `card.json`. Whether it was trained here for a minute or published by someone else makes no
difference after this point.

Everything that differs between families is in `FAMILIES`: the classes, the prefixes under which the encoder's tensors
lie in a whole checkpoint, and the template of its input. mBART and M2M-100 encoders are *not* loaded through
`AutoModel` or `from_pretrained`: on a seq2seq checkpoint the encoder classes, and on an encoder folder `AutoModel`,
fill in random weights with no more than a report.
"""

import contextlib
import importlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.files import read_json, sha256, whole
from mtbridge.data import tokenized, tokenizers
from mtbridge.models import checkpoints
from mtbridge.models.checkpoints import Tensors
from mtbridge.models.kernels import cpu_kernels
from mtbridge.models.packing import Packed, attention


@dataclass(frozen=True)
class Family:
    """What must be known of an architecture. Templates: S start, E end, T language tag, A and B the texts."""

    module: str
    config: str
    encoder: str
    whole: str  # the class that is pretrained
    prefixes: tuple[str, ...]  # of the encoder in a whole checkpoint, the first that fits counts
    single: str
    pair: str
    separated: str  # a pair with a separator, where the family's own template has none
    token_types: bool = False
    tagged: bool = False  # starts with a language tag
    shared: tuple[str, ...] = ()  # where the token embeddings may lie instead, where they are tied


# Tied weights are stored once, under any of their names.
SHARED = ("model.shared.weight", "shared.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")
FAMILIES = {
    "bert": Family(
        "transformers.models.bert.modeling_bert",
        "BertConfig",
        "BertModel",
        "BertForMaskedLM",
        ("bert.", ""),
        "SAE",
        "SAEBE",
        "SAEBE",
        token_types=True,
    ),
    "xlm-roberta": Family(
        "transformers.models.xlm_roberta.modeling_xlm_roberta",
        "XLMRobertaConfig",
        "XLMRobertaModel",
        "XLMRobertaForMaskedLM",
        ("roberta.", ""),
        "SAE",
        "SAEEBE",
        "SAEEBE",
    ),
    "mbart": Family(
        "transformers.models.mbart.modeling_mbart",
        "MBartConfig",
        "MBartEncoder",
        "MBartForConditionalGeneration",
        ("model.encoder.", "encoder.", ""),
        "TAE",
        "TABE",
        "TAEBE",
        tagged=True,
        shared=SHARED,
    ),
    "m2m_100": Family(
        "transformers.models.m2m_100.modeling_m2m_100",
        "M2M100Config",
        "M2M100Encoder",
        "M2M100ForConditionalGeneration",
        ("model.encoder.", "encoder.", ""),
        "TAE",
        "TABE",
        "TAEBE",
        tagged=True,
        shared=SHARED,
    ),
}
WORD_EMBEDDINGS = {
    "bert": "embeddings.word_embeddings.weight",
    "xlm-roberta": "embeddings.word_embeddings.weight",
    "mbart": "embed_tokens.weight",
    "m2m_100": "embed_tokens.weight",
}


def family_class(family: str, which: str):
    """The transformers class of a family: `config`, `encoder` or `whole` (with decoder or language-model head)."""
    return getattr(importlib.import_module(FAMILIES[family].module), getattr(FAMILIES[family], which))


def family_of(folder) -> str:
    """The family of a checkpoint or encoder folder, from its config.json. Raises for an architecture not known here."""
    path = Path(folder) / "config.json"
    config = read_json(path)
    name = config.get("model_type") if isinstance(config, dict) else None
    if name not in FAMILIES:
        raise MtbridgeError(
            f"{path}: model_type '{name}' is not an encoder that is known here; {nearest(name, FAMILIES)}"
        )
    if config.get("is_decoder") and not config.get("is_encoder_decoder"):
        raise MtbridgeError(f"{path}: a decoder without an encoder (is_decoder); expected a model with an encoder")
    return name


@contextlib.contextmanager
def without_weights():
    """Modules made inside have their parameters on torch's meta device, without content or memory; buffers are real.

    Filling hundreds of millions of parameters with random numbers that are overwritten at once would take longer than
    reading them; and buffers that no checkpoint holds (positions) are only made by the class itself.
    """
    import torch

    register = torch.nn.Module.register_parameter

    def register_on_meta(module, name, parameter):
        register(module, name, parameter)
        if parameter is not None:
            module._parameters[name] = torch.nn.Parameter(parameter.to("meta"), parameter.requires_grad)

    torch.nn.Module.register_parameter = register_on_meta
    try:
        yield
    finally:
        torch.nn.Module.register_parameter = register


def build(folder):
    """An encoder of the class and sizes that `<folder>/config.json` says, its weights still to come."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AttentionInterface, AutoConfig

    AttentionInterface.register("packed", attention)
    name = family_of(folder)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, attn_implementation="packed")
    except (StrictDataclassError, ValueError, TypeError, OSError) as error:
        raise MtbridgeError(f"{folder}/config.json: not a {name} config ({error}); get it again") from error
    # LayerDrop would drop whole layers at random in fine-tuning; M2M100Config turns it on by default.
    for key in ("encoder_layerdrop", "layerdrop"):
        if hasattr(config, key):
            setattr(config, key, 0.0)
    encoder_class = family_class(name, "encoder")
    with without_weights():
        if name in ("bert", "xlm-roberta"):
            return encoder_class(config, add_pooling_layer=False)
        return encoder_class(config)


def load_encoder(folder):
    """Read an encoder folder into its class; every tensor must be there, with its shape, and nothing else, and the file
    must be the one that the card describes.

    Weights are mapped from the file, so that jobs on one machine share them until they change them.
    """
    model = build(folder)
    tensors = Tensors(folder)
    wanted = model.state_dict()
    path, card = Path(folder) / "model.safetensors", Path(folder) / "card.json"
    missing = sorted(set(wanted) - set(tensors))
    surplus = sorted(set(tensors) - set(wanted))
    if missing or surplus:
        raise MtbridgeError(
            f"{path}: {len(missing)} tensors missing ({', '.join(missing[:2])}), {len(surplus)} not expected "
            f"({', '.join(surplus[:2])}); delete {folder} to have it made again"
        )
    found = {}
    for key, parameter in wanted.items():
        if tensors.shape(key) != tuple(parameter.shape):
            raise MtbridgeError(
                f"{path}: {key} has shape {tensors.shape(key)}, config.json says {tuple(parameter.shape)}"
            )
        found[key] = tensors[key].to(parameter.dtype)
    said = read_json(card).get("sha256") if card.exists() and path.exists() else None
    if said and said != sha256(path):
        raise MtbridgeError(f"{path}: not what {card.name} says of it (sha256); delete {folder} to have it made again")
    model.load_state_dict(found, assign=True)
    return model.eval()


def encoder_places(checkpoint, tensors: Tensors) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Where the encoder's tensors lie in a checkpoint: name in the encoder class -> (name in the checkpoint, shape).

    Raises:
        MtbridgeError: a tensor is missing, has another shape than config.json says, or belongs to a layer that
            config.json does not have.
    """
    name = family_of(checkpoint)
    family, embeddings = FAMILIES[name], WORD_EMBEDDINGS[name]
    wanted = {key: tuple(value.shape) for key, value in build(checkpoint).state_dict().items()}
    body = next(key for key in wanted if key != embeddings)
    prefix = next((p for p in family.prefixes if p + body in tensors), None)
    if prefix is None:
        raise MtbridgeError(
            f"{checkpoint}: holds no encoder of the family {name} (no tensor '{family.prefixes[0]}{body}')"
        )
    tied = read_json(Path(checkpoint) / "config.json").get("tie_word_embeddings", True)
    places = {}
    for key, shape in wanted.items():
        candidates = [prefix + key, *(family.shared if key == embeddings and tied else ())]
        place = next((p for p in candidates if p in tensors), None)
        if place is None:
            raise MtbridgeError(f"{checkpoint}: tensor '{prefix}{key}' is missing; the checkpoint is not whole")
        if tensors.shape(place) != shape:
            raise MtbridgeError(
                f"{checkpoint}: tensor '{place}' has shape {tensors.shape(place)}, config.json says {shape}"
            )
        places[key] = (place, shape)
    layer = re.compile(re.escape(prefix) + r"(encoder\.layer|layers)\.\d+\.")
    beyond = sorted(key for key in tensors if layer.match(key) and key.removeprefix(prefix) not in wanted)
    if beyond:
        raise MtbridgeError(f"{checkpoint}: tensor '{beyond[0]}' has no place in the model that config.json describes")
    return places


def extract_encoder(checkpoint, tokenizer, output, card: dict) -> None:
    """Write an encoder folder from a checkpoint trained here, published, or already an encoder.

    Tensors go from file to file, a block at a time: the decoder is never read, and no model is built in memory.

    Args:
        checkpoint: folder with config.json and weights, as `save_pretrained` or `hub.fetch` writes it.
        tokenizer: tokenizer folder (`tokens`); its vocabulary must fit the embeddings.
        card: what is known of the model beyond its files (model, label, kind, base, source …). What a fetched
            checkpoint's source.json says (repo, revision, commit, files) is added.

    Raises:
        MtbridgeError: a tensor that the encoder needs is missing or has another shape than the config says.
    """
    checkpoint = Path(checkpoint)
    name = family_of(checkpoint)
    tensors = Tensors(checkpoint)
    places = encoder_places(checkpoint, tensors)
    config = read_json(checkpoint / "config.json")
    _, (vocabulary, width) = places[WORD_EMBEDDINGS[name]]
    size = tokenizers.open_tokenizer(tokenizer).get_vocab_size()
    if size > vocabulary:
        raise MtbridgeError(
            f"{checkpoint}: {vocabulary} embeddings for the {size} entries of {tokenizer}; "
            "it was trained with another tokenizer"
        )
    source = checkpoint / "source.json"
    tags = tokenizers.specials(tokenizer)["languages"]
    with whole(output) as folder:
        folder.mkdir()
        digest = checkpoints.write(
            tensors, {key: place for key, (place, _) in places.items()}, folder / "model.safetensors"
        )
        shutil.copyfile(checkpoint / "config.json", folder / "config.json")
        for file in ("tokenizer.json", "tokenizer_config.json", "special.json"):
            shutil.copyfile(Path(tokenizer) / file, folder / file)
        card = {
            **card,
            **(read_json(source) if source.exists() else {}),
            "family": name,
            "layers": config.get("encoder_layers", config.get("num_hidden_layers")),
            "hidden_size": width,
            "parameters": {
                "embeddings": vocabulary * width,
                "body": int(sum(np.prod(shape) for _, shape in places.values())) - vocabulary * width,
            },
            # A model that takes no tags misses none.
            "languages": sorted(k for k, v in tags.items() if v is not None or not FAMILIES[name].tagged),
            "tokenizer": tokenizers.digest(tokenizer),
            "sha256": digest,
        }
        (folder / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


# ---- Input ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Template:
    """How texts become a model's input: ids before, between and after them."""

    pieces: str
    ids: dict
    max_length: int
    token_types: bool

    def assemble(self, texts: tokenized.Ragged, languages: list[str]) -> tuple[tokenized.Ragged, tokenized.Ragged, int]:
        """The inputs of all examples: token ids, token types, and where each one's first text starts.

        Args:
            texts: the texts of example r are rows `r * texts an example` and following. Those that are too long are
                cut, the longer first, until both are equal, then in turn, the second first.
            languages: of each example.
        """
        rows, count = len(languages), sum(piece in "AB" for piece in self.pieces)
        room = self.max_length - (len(self.pieces) - count)
        lengths = texts.lengths.reshape(rows, count)
        excess = np.maximum(0, lengths.sum(1) - room)
        if count == 1:
            lengths = lengths - excess[:, None]
        else:
            difference = lengths[:, 1] - lengths[:, 0]
            taken = np.minimum(excess, np.abs(difference))
            rest = excess - taken
            cut = np.stack([rest // 2 + taken * (difference <= 0), rest - rest // 2 + taken * (difference > 0)], 1)
            lengths = lengths - cut
        size = {"A": lengths[:, 0], "B": lengths[:, -1]}
        sizes = np.stack([size.get(piece, np.ones(rows, dtype=np.int64)) for piece in self.pieces], 1)
        starts = np.concatenate([[0], np.cumsum(sizes)])[:-1].reshape(rows, len(self.pieces))
        offsets = np.append(starts[:, 0], sizes.sum())
        ids = np.empty(offsets[-1], dtype=np.int32)
        types = np.zeros(offsets[-1], dtype=np.int8)
        for number, piece in enumerate(self.pieces):
            to = tokenized.ranges(starts[:, number], sizes[:, number])
            if piece in "AB":
                ids[to] = texts.values[tokenized.ranges(texts.offsets["AB".index(piece) : -1 : count], size[piece])]
            else:
                ids[to] = [self.ids["T"][language] for language in languages] if piece == "T" else self.ids[piece]
            if self.token_types and "B" in self.pieces[: number + 1]:
                types[to] = 1
        return tokenized.Ragged(ids, offsets), tokenized.Ragged(types, offsets), self.pieces.index("A")


def template(folder, texts: int, max_length: int, pair_encoding: str, language_tag: str, languages) -> Template:
    """The input template of an encoder folder.

    Args:
        texts: how many texts an example has, 1 or 2.
        pair_encoding: `family` (as the model was pretrained; mBART and NLLB join the texts without a separator) or
            `separator`.
        language_tag: `own` (the tag of the text's language) or `English` (always English's).
        languages: those that will be fed; one that the tokenizer has no tag for gets the English tag, never `<unk>`.
    """
    name = family_of(folder)
    family = FAMILIES[name]
    ids = tokenizers.specials(folder)
    pieces = family.single if texts == 1 else (family.separated if pair_encoding == "separator" else family.pair)
    tags = ids["languages"]
    if family.tagged and tags.get("en") is None:
        raise MtbridgeError(f"{folder}/special.json: no tag for English; a {name} encoder cannot be fed without one")
    own = {language: (tags.get(language) if language_tag == "own" else None) for language in languages}
    positions = read_json(Path(folder) / "config.json").get("max_position_embeddings", max_length)
    # RoBERTa counts positions from the padding id + 1, so two of its rows are never used.
    longest = positions - 2 if name == "xlm-roberta" else positions
    if max_length > longest:
        raise MtbridgeError(f"recipe.max_length: {max_length}, but {folder} takes {longest} at most; lower it")
    return Template(
        pieces,
        {
            "S": ids["start"],
            "E": ids["end"],
            "T": {language: tag if tag is not None else tags.get("en") for language, tag in own.items()},
        },
        max_length,
        family.token_types,
    )


def forward(encoder, batch: Packed, hidden_states: bool = False):
    """Run an encoder on a packed batch of tensors.

    Returns:
        last hidden state [tokens, dim], or all of them, a tuple of layers + 1.
    """
    import torch

    family = encoder.config.model_type
    extra, counted = {}, contextlib.nullcontext()
    if family == "bert":
        extra = {"token_type_ids": batch.types[None], "position_ids": batch.positions[None]}
    elif family == "xlm-roberta":
        extra = {"position_ids": batch.positions[None] + encoder.embeddings.padding_idx + 1}
    else:
        counted = _own_positions(encoder.embed_positions, batch, torch.full_like(batch.ids[None, : batch.longest], -1))
    with counted, cpu_kernels(encoder):
        output = encoder(
            input_ids=batch.ids[None], packed=batch, output_hidden_states=hidden_states, return_dict=True, **extra
        )
    if hidden_states:
        return tuple(layer[0] for layer in output.hidden_states)
    return output.last_hidden_state[0]


@contextlib.contextmanager
def _own_positions(embed_positions, batch: Packed, one):
    """mBART's and M2M-100's encoders number all tokens of a row: shown one sequence, as long as the longest, instead,
    the module gives a table of positions, and each token takes its own from it."""
    hooks = [
        embed_positions.register_forward_pre_hook(lambda _, given: (one, *given[1:])),
        embed_positions.register_forward_hook(lambda _module, _given, table: table[:, batch.positions]),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def pool(hidden, batch: Packed, pooling: str):
    """Pool [tokens, dim] to [sequences, dim]: the `mean`, the `first`, or the last token, `eos`."""
    if pooling == "first":
        return hidden[batch.offsets[:-1]]
    if pooling == "eos":
        return hidden[batch.offsets[1:] - 1]
    hidden = hidden.float()
    sums = hidden.new_zeros(len(batch.lengths), hidden.shape[1]).index_add(0, batch.sequence, hidden)
    return sums / batch.offsets.diff().unsqueeze(1)
