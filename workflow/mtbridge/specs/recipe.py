"""How an encoder is fine-tuned. A study has one recipe or several; every setting is part of a run's identity."""

from typing import Literal

from mtbridge.specs.setting import setting, specification

Precision = Literal["fp32", "bf16"]


@specification
class Encoding:
    """The part of a recipe that decides how a text becomes a model's input, and the input one vector."""

    max_length: int = setting(256, description="Tokens of an input, specials included.", ge=8)
    context_length: int = setting(
        384, description="Of an extraction: tokens of an input, in place of `max_length`; 384 is XTREME's.", ge=8
    )
    doc_stride: int = setting(
        128,
        description="Of an extraction: a context that is too long for an input is cut into windows that begin so many "
        "tokens after one another; 128 is XTREME's.",
        ge=1,
    )
    pooling: Literal["mean", "first", "eos"] = setting("mean", description="How a text becomes one vector.")
    pair_encoding: Literal["family", "separator"] = setting(
        "family", description="Two texts as the model was pretrained, or always with a separator."
    )
    language_tag: Literal["own", "English"] = setting(
        "own", description="Tag of the text's language, or English's, for models that take one."
    )


@specification
class Recipe(Encoding):
    """The settings of fine-tuning."""

    learning_rate: float = setting(5e-6, description="Peak learning rate of AdamW.", gt=0)
    epochs: int = setting(10, description="Passes over the English training examples.", ge=1)
    batch_size: int = setting(32, description="Examples of one update, over all devices.", ge=1)
    warmup: float = setting(0.1, description="Share of the updates with rising learning rate.", ge=0, le=1)
    weight_decay: float = setting(0.0, description="Decoupled weight decay of matrices.", ge=0)
    clip: float = setting(1.0, description="Largest norm of the gradients of one update.", gt=0)
    dropout: float = setting(0.1, description="Dropout before the head.", ge=0, lt=1)
    selection: Literal["last", "en_dev", "mean_dev"] = setting(
        "en_dev", description="The epoch whose weights are kept: the last, the best on English dev, or on all dev."
    )
    precision: Precision = setting(
        "fp32",
        description="Of the computation; weights stay fp32. Without bf16 instructions, bf16 is computed in fp32.",
    )
