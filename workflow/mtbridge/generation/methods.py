"""Which weights of a sequence-to-sequence model are trained, and what is added to it.

What is added begins as nothing: an adapter's and LoRA's second matrix is zero, so before training the model writes what
it wrote without.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.tokenized import Ragged
from mtbridge.generation.inputs import padded
from mtbridge.models.forward import forward
from mtbridge.models.loading import pack_encoder
from mtbridge.models.packing import pack
from mtbridge.specs.adaptation import Adaptation
from mtbridge.specs.families import Family

if TYPE_CHECKING:
    import torch


class Adapted:
    """A model prepared for a method: the model, the names and tensors that are trained, and how sources are encoded."""

    def __init__(self, model: Any, family: Family, adaptation: Adaptation):
        """
        Args:
            model: of the family's pretraining class; it is changed in place.

        Raises:
            MtbridgeError: the family has no modules of the names that the method needs.
        """
        import torch

        self.model, self.family = model, family
        self.prompt: torch.nn.Parameter | None = None
        if adaptation.method != "prompt":
            pack_encoder(model.get_encoder())
        model.requires_grad_(adaptation.method == "full")
        prepare = {"frozen": _frozen, "adapters": _adapters, "lora": _lora, "prompt": self._prompt}
        if adaptation.method != "full":
            prepare[adaptation.method](model, family, adaptation.width)

    @property
    def trained(self) -> "dict[str, torch.nn.Parameter]":
        """The tensors that are trained, by name."""
        found = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        return found | ({"prompt": self.prompt} if self.prompt is not None else {})

    def to(self, device: "torch.device") -> "Adapted":
        """Move the model to a device, and return it."""
        self.model.to(device)
        if self.prompt is not None:
            self.prompt.data = self.prompt.data.to(device)
        return self

    @property
    def device(self) -> "torch.device":
        """Where the model is."""
        return next(self.model.parameters()).device

    def load(self, tensors: "dict[str, torch.Tensor]") -> None:
        """Put trained tensors in their places. Raises MtbridgeError if they are not those of this method."""
        import torch

        own = self.trained
        if set(own) != set(tensors):
            odd = sorted(set(own) ^ set(tensors))
            raise MtbridgeError(f"weights of another method or model: '{odd[0]}' is one too many or few; adapt again")
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(tensors[name])

    def encode(self, sources: list[np.ndarray], pad: int) -> "tuple[Any, torch.Tensor]":
        """The encoder's output for sources, padded [text, token, dim], and the mask of its tokens.

        Sources are packed, each attends to itself alone (see `models.packing`); where a prompt comes before them, they
        are padded and masked.
        """
        import torch
        from transformers.modeling_outputs import BaseModelOutput

        encoder = self.model.get_encoder()
        if self.prompt is not None:
            ids = padded(sources, pad).to(self.device)
            embedded = self.model.get_input_embeddings()(ids)  # scaled here, in the families that scale it
            vectors = self.prompt[None].expand(len(ids), -1, -1)
            mask = torch.cat([ids.new_ones(len(ids), len(self.prompt)), (ids != pad).long()], dim=1)
            both = torch.cat([vectors, embedded], 1)
            return encoder(inputs_embeds=both, attention_mask=mask, return_dict=True), mask
        rows = Ragged.of(sources)
        batch = pack(rows, Ragged(np.zeros_like(rows.values), rows.offsets), range(len(sources)))
        hidden = forward(encoder, batch.to(self.device))
        mask = torch.from_numpy(np.arange(batch.longest) < np.asarray(batch.lengths)[:, None]).to(self.device)
        out = hidden.new_zeros(*mask.shape, hidden.shape[-1])
        return BaseModelOutput(last_hidden_state=out.masked_scatter(mask[..., None], hidden)), mask.long()

    def _prompt(self, model: Any, family: Family, width: int) -> None:
        import torch

        # Lester et al. 2021 begin with embeddings of the vocabulary.
        table = model.get_input_embeddings()
        with torch.no_grad():
            self.prompt = torch.nn.Parameter(table(torch.randperm(table.num_embeddings)[:width]).clone())


def _frozen(model: Any, family: Family, width: int) -> None:
    """The encoder is trained, without its word embeddings."""
    model.get_encoder().requires_grad_(True)
    model.get_input_embeddings().requires_grad_(False)  # the decoder's too, and the output's where they are tied


def _feedforward_ends(model: Any, family: Family) -> list[tuple[Any, str]]:
    """(modules, name) of the second matrix of every feed-forward; modules: those of its layer, by name."""
    name = family.matrices["fc2"].removesuffix(".weight").split(".")[-1]
    found = [(module._modules, name) for module in model.modules() if name in module._modules]
    if not found:
        raise MtbridgeError(f"the family {family.name} has no modules '{name}'; this method does not know its layers")
    return found


def _adapters(model: Any, family: Family, width: int) -> None:
    """A bottleneck behind every feed-forward, in encoder and decoder."""
    import torch

    class Adapter(torch.nn.Module):
        def __init__(self, inner: torch.nn.Module, size: int):
            super().__init__()
            self.inner = inner
            self.down, self.up = torch.nn.Linear(size, width), torch.nn.Linear(width, size)
            torch.nn.init.normal_(self.down.weight, std=0.02)
            for zero in (self.down.bias, self.up.weight, self.up.bias):
                torch.nn.init.zeros_(zero)

        @property
        def weight(self) -> torch.Tensor:
            return self.inner.get_parameter("weight")  # T5's feed-forward asks for its type

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.inner(x)
            return x + self.up(torch.relu(self.down(x)))

    for modules, name in _feedforward_ends(model, family):
        modules[name] = Adapter(modules[name], modules[name].out_features)


def _lora(model: Any, family: Family, width: int) -> None:
    """Low-rank updates of the matrices of queries and values, by peft."""
    from peft import LoraConfig, inject_adapter_in_model

    names = [family.matrices[matrix].removesuffix(".weight").split(".")[-1] for matrix in ("q", "v")]
    config = LoraConfig(r=width, lora_alpha=width, lora_dropout=0.0, target_modules=names)
    inject_adapter_in_model(config, model)
