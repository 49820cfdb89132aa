"""Text without labels that is mixed into the examples of a task (Vu et al. 2022): learnt as in pretraining.

The paper's idea is that a model that goes on to write the other languages does not forget how. Which texts an update
has depends on (seed, update) alone, so a run that goes on from its state has the same.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenized, tokenizers
from mtbridge.specs.adaptation import Adaptation
from mtbridge.specs.families import Family
from mtbridge.specs.pretraining import PretrainingPlan
from mtbridge.training.pretraining.objectives import OBJECTIVES
from mtbridge.training.pretraining.texts import Sample, Texts


class Mixed:
    """The text of the study's languages but for those that are learnt from."""

    def __init__(
        self, corpus: Path, tokenizer: Path, family: Family, adaptation: Adaptation, taught: list[str], seed: int
    ):
        """
        Args:
            corpus: folder of the tokenizer's tokens, one array per language (`tokenized.write_corpus`).
            taught: languages of the examples, whose text is left out.

        Raises:
            MtbridgeError: there is no text of another language.
        """
        languages = [language for language in tokenized.languages_of(corpus) if language not in taught]
        if not languages:
            raise MtbridgeError(f"{corpus}: no text but in {', '.join(taught)}; expected other languages to mix in")
        # What is longer is cut on both sides, so that the target has no text that the source does not have.
        limit = min(adaptation.longest_source, adaptation.target_length) - 3
        self.texts, self.seed = Texts(corpus, languages, seed, limit), seed
        self.ids = tokenizers.specials(tokenizer)
        # What the published models of a family learnt; only T5's take no tags of languages.
        objective = adaptation.objective or ("denoising" if family.tags is not None else "span_corruption")
        self.plan = PretrainingPlan(family=family.name, objective=objective, steps=0, sentences=adaptation.sentences)

    def samples(self, step: int, count: int) -> list[Sample]:
        """The texts that are mixed into an update."""
        rng = self.texts.rng = np.random.default_rng([self.seed, 17, step])
        make: Callable[..., Any] = OBJECTIVES[self.plan.objective].sample
        return [make(self.texts, int(rng.integers(self.texts.lines)), self.plan, self.ids) for _ in range(count)]
