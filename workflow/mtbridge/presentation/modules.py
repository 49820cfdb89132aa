"""The functions of every table's and figure's module, imported when they are needed: planning imports none of them."""

from collections.abc import Callable
from typing import Any

Functions = tuple[Callable[..., Any], Callable[..., Any]]  # frame, and body or draw


def scores() -> Functions:
    """Tables 1 and 4."""
    from mtbridge.presentation.tables import scores

    return scores.frame, scores.body


def spectra() -> Functions:
    """Tables 2 and 5."""
    from mtbridge.presentation.tables import spectra

    return spectra.frame, spectra.body


def weights() -> Functions:
    """Distances of weights."""
    from mtbridge.presentation.tables import weights

    return weights.frame, weights.body


def data() -> Functions:
    """Table 3."""
    from mtbridge.presentation.tables import data

    return data.frame, data.body


def exposure() -> Functions:
    """What models have seen."""
    from mtbridge.presentation.tables import exposure

    return exposure.frame, exposure.body


def learning_rate() -> Functions:
    """The choice of a learning rate."""
    from mtbridge.presentation.tables import learning_rate

    return learning_rate.frame, learning_rate.body


def agreement() -> Functions:
    """Published values beside ours."""
    from mtbridge.presentation.tables import agreement

    return agreement.frame, agreement.body


def figure1() -> Functions:
    """Similarities of models."""
    from mtbridge.presentation.figures import figure1

    return figure1.frame, figure1.draw


def figure2() -> Functions:
    """Similarities of languages."""
    from mtbridge.presentation.figures import figure2

    return figure2.frame, figure2.draw


def changes() -> Functions:
    """Differences of continued models, by task."""
    from mtbridge.presentation.tables import changes

    return changes.frame, changes.body


def alike() -> Functions:
    """Similarities of languages as differences from the base."""
    from mtbridge.presentation.figures import alike

    return alike.frame, alike.draw


def sigma() -> Functions:
    """Singular values by rank."""
    from mtbridge.presentation.figures import sigma

    return sigma.frame, sigma.draw


def verdicts() -> Functions:
    """Differences between models and what they say."""
    from mtbridge.presentation.tables import verdicts

    return verdicts.frame, verdicts.body


def ranking() -> Functions:
    """The order of models."""
    from mtbridge.presentation.tables import ranking

    return ranking.frame, ranking.body


def forest() -> Functions:
    """Intervals of differences."""
    from mtbridge.presentation.figures import forest

    return forest.frame, forest.draw


def separability() -> Functions:
    """How far languages lie apart, by layer."""
    from mtbridge.presentation.figures import separability

    return separability.frame, separability.draw


def separability_table() -> Functions:
    """How far languages lie apart, against other models."""
    from mtbridge.presentation.tables import separability

    return separability.frame, separability.body


def retrieval() -> Functions:
    """How often translations find each other, by layer."""
    from mtbridge.presentation.figures import retrieval

    return retrieval.frame, retrieval.draw


def retrieval_table() -> Functions:
    """How often translations find each other in one layer."""
    from mtbridge.presentation.tables import retrieval

    return retrieval.frame, retrieval.body


def transfer() -> Functions:
    """Separability beside transfer."""
    from mtbridge.presentation.figures import transfer

    return transfer.frame, transfer.draw


def interventions() -> Functions:
    """Derived weights."""
    from mtbridge.presentation.figures import interventions

    return interventions.frame, interventions.draw


def claims() -> Functions:
    """The ledger of the paper's claims."""
    from mtbridge.presentation.tables import claims

    return claims.frame, claims.body


def dose() -> Functions:
    """Scores against updates."""
    from mtbridge.presentation.figures import dose

    return dose.frame, dose.draw


def translation() -> Functions:
    """Quality of translation."""
    from mtbridge.presentation.tables import translation

    return translation.frame, translation.body


def translators() -> Functions:
    """Quality of translation beside zero-shot scores."""
    from mtbridge.presentation.figures import translators

    return translators.frame, translators.draw


def generation() -> Functions:
    """Scores of outputs."""
    from mtbridge.presentation.tables import generation

    return generation.frame, generation.body


def rates() -> Functions:
    """Scores of outputs against the learning rate."""
    from mtbridge.presentation.figures import rates

    return rates.frame, rates.draw


def generation_claims() -> Functions:
    """The ledger of findings on generation."""
    from mtbridge.presentation.tables import generation_claims

    return generation_claims.frame, generation_claims.body
