"""How a small model is trained here from scratch, or the training of another model is continued."""

from typing import Literal, get_args

from mtbridge.specs.setting import setting, specification

Objective = Literal["masked_lm", "denoising", "translation", "tlm", "alignment", "span_corruption", "prefix_lm", "none"]
Directions = Literal["many-to-one", "one-to-many", "english-centric", "all"]
OBJECTIVES, DIRECTIONS = get_args(Objective), get_args(Directions)
# Objectives on a line and its translation, which have directions -> lines of one text that the encoder reads.
PARALLEL: dict[str, int] = {"translation": 1, "tlm": 2, "alignment": 1}
ENCODER_ALONE = ("masked_lm", "tlm", "alignment")  # objectives that need no decoder


@specification
class Architecture:
    """The sizes of all small models of a study; the encoders of all families are equally deep."""

    hidden_size: int = setting(128, description="Width.", ge=8)
    layers: int = setting(4, description="Layers of every encoder.", ge=1)
    decoder_layers: int = setting(2, description="Layers of the decoders of denoising and translation.", ge=1)
    heads: int = setting(4, description="Attention heads.", ge=1)
    feedforward: int = setting(512, description="Width of the feed-forward layers.", ge=8)
    positions: int = setting(130, description="Longest input in tokens, with two to spare.", ge=16)
    # Published models of width 768 and more start from 0.02; narrow ones learn nothing from it for a long time.
    initializer_range: float = setting(0.04, description="Standard deviation of the first weights.", gt=0)

    @property
    def head_size(self) -> int:
        """Width of an attention head."""
        return self.hidden_size // self.heads


@specification
class PretrainingSettings:
    """What all pretrainings of a study have in common."""

    tokens_per_step: int = setting(500, description="Tokens of an update, source and target together.", ge=64)
    learning_rate: float = setting(2e-3, description="Peak learning rate.", gt=0)
    warmup: float = setting(0.1, description="Share of the steps with rising learning rate.", ge=0, le=1)
    mask_share: float = setting(0.15, description="Share of tokens predicted in masked LM.", gt=0, lt=1)
    noise_share: float = setting(0.35, description="Share of tokens hidden in denoising.", gt=0, lt=1)
    span_share: float = setting(0.15, description="Share of tokens hidden in span corruption.", gt=0, lt=1)
    span_length: float = setting(3.0, description="Mean number of tokens of a hidden span in span corruption.", ge=1)
    sentences: int = setting(3, description="Consecutive lines that make one text where no translation is read.", ge=1)
    source_share: float | None = setting(
        None,
        description="Share of the texts in the source language where no translation is read; default: as any other's.",
        gt=0,
        lt=1,
    )
    embedding_rate: float = setting(1.0, description="Word embeddings' learning rate, times that of all else.", gt=0)
    seed: int = setting(1, description="Of weights and order.", ge=0)


@specification
class PretrainingPlan(PretrainingSettings):
    """What one model learns, and for how long."""

    family: str = setting(description="Architecture of the model.")
    objective: Objective = setting(description="What a trained model learns; `none` leaves it untrained.")
    directions: Directions | None = setting(None, description="Of objectives on translations: which pairs.")
    steps: int = setting(description="Updates of a trained model.", ge=0)
    source_language: str = setting("en", description="The language that translations are into, or out of.")
