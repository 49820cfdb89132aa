"""Whole models: read from a checkpoint with their decoder or language-model head, and run up to their logits.

transformers' `from_pretrained` is not used: where a tensor is missing it fills in random numbers and only logs a
report. Its configs of T5's family say that the output layer is tied to the word embeddings, also where it is not.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.models.checkpoints import Tensors
from mtbridge.models.classes import family_of, pretraining_class
from mtbridge.specs.families import Family

if TYPE_CHECKING:
    import torch

# Tables that a class computes itself and that older checkpoints hold all the same.
COMPUTED = re.compile(r"(^|\.)(embed_positions\.weights|position_ids)$")


def load_whole(folder: str | Path) -> Any:
    """The model of a checkpoint, with its decoder or language-model head, in float32 and training mode.

    Weights lie in any of the forms of `checkpoints.WEIGHTS`; tied ones may be stored once, under any of their names.

    Raises:
        MtbridgeError: a tensor is missing, unknown or of another shape, config.json makes no model, or embeddings that
            are tied are stored with different numbers.
    """
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, GenerationConfig

    family, tensors = family_of(folder), Tensors(folder)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        model = pretraining_class(family)(config)
    except (StrictDataclassError, ValueError, TypeError, OSError) as error:
        raise MtbridgeError(f"{folder}/config.json: not a {family.name} config ({error}); get it again") from error
    if family.sequence_to_sequence:
        # How outputs are written is a setting of the study; config.json may have other beams, lengths and penalties.
        model.generation_config = GenerationConfig()
    own = model.state_dict(keep_vars=True)
    known = [*(getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ()), COMPUTED.pattern]
    surplus = [name for name in tensors if name not in own and not any(re.search(form, name) for form in known)]
    if surplus:
        raise MtbridgeError(f"{folder}: not expected {sorted(surplus)[:2]}; config.json describes another model")
    places: dict[int, list[str]] = defaultdict(list)  # tied weights are one object with several names
    for name, value in own.items():
        places[id(value)].append(name)
    with torch.no_grad():
        for names in places.values():
            _fill(model, family, tensors, names)
    return model.float()


def _fill(model: Any, family: Family, tensors: Tensors, names: list[str]) -> None:
    """Copy a tensor of a checkpoint into the parameter or buffer of these names; names are several where it is tied.

    An output layer with numbers of its own is untied.
    """
    import torch

    folder, output = tensors.folder, _output_weight(family)
    value = model.get_parameter_or_buffer(names[0])
    stored = [name for name in names if name in tensors]
    if output in stored and len(names) > 1 and (len(stored) > 1 or _has_own_output(folder, family)):
        stored.remove(output)
        first = tensors[stored[0]] if stored else None
        if first is None or not torch.equal(tensors[output], first):
            layer = model.get_submodule(output.removesuffix(".weight"))
            layer.weight = torch.nn.Parameter(torch.empty_like(value))
            getattr(model, "all_tied_weights_keys", {}).pop(output, None)
            _copy(tensors, output, layer.weight)
    if not stored:
        if isinstance(value, torch.nn.Parameter):
            also = " with its decoder" if family.sequence_to_sequence else ""
            raise MtbridgeError(f"{folder}: missing ['{names[0]}']; expected the whole model{also}")
        return  # a buffer that the class has filled in
    for other in stored[1:]:
        if not torch.equal(tensors[other], tensors[stored[0]]):
            raise MtbridgeError(
                f"{folder}: '{other}' and '{stored[0]}' differ, but config.json says that they are tied; get it again"
            )
    _copy(tensors, stored[0], value)


def _copy(tensors: Tensors, name: str, place: "torch.Tensor") -> None:
    if tensors.shape(name) != tuple(place.shape):
        raise MtbridgeError(
            f"{tensors.folder}: '{name}' has shape {tensors.shape(name)}, config.json says {tuple(place.shape)}"
        )
    place.copy_(tensors[name])


def _output_weight(family: Family) -> str:
    """The name of the output layer's weights in the pretraining class."""
    return f"{family.head[-1]}.weight"


def _has_own_output(folder: Path, family: Family) -> bool:
    """Whether the output layer of a checkpoint cannot stand for its word embeddings, by its config.json."""
    config = read_json(folder / "config.json")
    return family.own_output or False in (config.get("tie_word_embeddings"), config.get(family.output_scaling or ""))


def untie_output(model: Any, family: Family) -> None:
    """Give a new model an output layer of its own, with first weights for logits of variance 1 from normed states."""
    import torch

    layer = model.get_submodule(family.head[-1])
    rows, width = layer.weight.shape
    layer.weight = torch.nn.Parameter(torch.randn(rows, width) * width**-0.5)
    getattr(model, "all_tied_weights_keys", {}).pop(_output_weight(family), None)


def check_specials(model: Any, family: Family, ids: Mapping[str, Any], where: str | Path) -> None:
    """Compare the ids of special tokens in a model's config with those of its tokenizer.

    Raises:
        MtbridgeError: they differ; the message begins with `where`, the checkpoint.
    """
    for key, token in family.config_tokens.items():
        found = vars(model.config).get(key)
        if found is not None and found != ids[token]:
            raise MtbridgeError(
                f"{where}/config.json: {key} is {found}, but the tokenizer's {token} is {ids[token]}; "
                "they do not belong together"
            )


def decode(model: Any, encoded: "torch.Tensor", mask: "torch.Tensor", read: "torch.Tensor") -> "torch.Tensor":
    """The decoder's last hidden states, [text, written token, dim].

    Args:
        encoded: the encoder's last hidden states, [text, token, dim].
        mask: [text, token], 1 for real tokens of the sources.
        read: ids of the tokens that the decoder reads, [text, written token].
    """
    return (
        model.get_decoder()(
            input_ids=read,
            encoder_hidden_states=encoded,
            encoder_attention_mask=mask,
            use_cache=False,
            return_dict=True,
        )
    ).last_hidden_state


def output_logits(model: Any, family: Family, hidden: "torch.Tensor") -> "torch.Tensor":
    """The logits [tokens, vocabulary] of last hidden states [tokens, dim], as the whole class computes them."""
    if family.output_scaling and vars(model.config)[family.output_scaling]:
        hidden = hidden * hidden.shape[-1] ** -0.5
    for name in family.head:
        hidden = model.get_submodule(name)(hidden)
    if family.output_bias and (bias := model.get_buffer(family.output_bias)).any():
        hidden = hidden + bias
    return hidden
