"""How a sequence-to-sequence model is adapted to a task of generation, and how it writes."""

from typing import Literal

from mtbridge.specs.names import Name
from mtbridge.specs.recipe import Precision
from mtbridge.specs.setting import setting, specification

# full      all weights
# frozen    the encoder without its word embeddings: decoder and embeddings stay as they are
# adapters  a bottleneck after every feed-forward (Houlsby et al. 2019, in the place of Pfeiffer et al. 2021)
# lora      low-rank updates of the queries' and values' matrices (Hu et al. 2022)
# prompt    vectors before the encoder's input (Lester et al. 2021)
Method = Literal["full", "frozen", "adapters", "lora", "prompt"]
# Objectives on a text alone, which mixed-in text can have
Unlabelled = Literal["denoising", "span_corruption", "prefix_lm"]


@specification
class Adaptation:
    """The settings of adapting a model to a task of generation."""

    method: Method = setting("full", description="Which weights are trained; see workflow/mtbridge/generation.")
    learning_rate: float = setting(1e-3, description="Peak learning rate of AdamW.", gt=0)
    epochs: int = setting(3, description="Passes over the English training examples.", ge=1)
    batch_size: int = setting(16, description="Examples of one update.", ge=1)
    source_length: int = setting(128, description="Tokens of an input, specials and prompt vectors included.", ge=8)
    target_length: int = setting(64, description="Tokens of a target in training, specials included.", ge=4)
    warmup: float = setting(0.1, description="Share of the updates with rising learning rate.", ge=0, le=1)
    weight_decay: float = setting(0.0, description="Decoupled weight decay of matrices.", ge=0)
    clip: float = setting(1.0, description="Largest norm of the gradients of one update.", gt=0)
    width: int = setting(
        24, description="Of what is added: width of an adapter, rank of LoRA, or number of prompt vectors.", ge=1
    )

    languages: tuple[Name, ...] = setting(
        (), description="Languages whose training examples are learnt from; default: English alone."
    )
    whole: bool = setting(
        False,
        description="Learn from all examples of each of `languages`; default: from an equal share of each, together "
        "as many as of one language, so there are no more updates.",
    )
    translator: Name | None = setting(
        None,
        description="The model that translates: with `languages` the English training examples into them "
        "(translate-train), without them the inputs into English and the outputs back (translate-test).",
    )
    mixed: float = setting(
        0.0,
        description="Share of an update's examples that are text of the other languages without labels, learnt as in "
        "pretraining.",
        ge=0,
        lt=1,
    )
    objective: Unlabelled | None = setting(
        None, description="What is learnt from mixed-in text; default: denoising, by T5's family span corruption."
    )
    sentences: int = setting(3, description="Consecutive lines that make one mixed-in text.", ge=1)
    precision: Precision = setting(
        "fp32",
        description="Of the computation; weights stay fp32. Without bf16 instructions, bf16 is computed in fp32.",
    )

    @property
    def mixed_texts(self) -> int:
        """How many texts are mixed into an update: they are the share `mixed` of all that it has."""
        return round(self.batch_size * self.mixed / (1 - self.mixed))

    @property
    def translates_tests(self) -> bool:
        """Whether inputs are translated and outputs translated back; the training is that of the way without it."""
        return self.translator is not None and not self.languages

    @property
    def longest_source(self) -> int:
        """Tokens of a source, specials included: what a prompt leaves of the input."""
        return self.source_length - (self.width if self.method == "prompt" else 0)


@specification
class Decoding:
    """How outputs are written."""

    beams: int = setting(1, description="Beams of the search; 1 is greedy.", ge=1)
    no_repeat: int = setting(0, description="No n-gram of this length is written twice; 0: any may be.", ge=0)
    longest: int = setting(64, description="Tokens of an output at most.", ge=1)
    force_language: bool = setting(
        True,
        description="Begin every output with the tag of the text's language, for models that take one; otherwise the "
        "model writes the tag itself.",
    )
