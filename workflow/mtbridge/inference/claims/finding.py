"""What numbers say to a claim, and the verdicts that follow from where an interval lies."""

from typing import NamedTuple

import numpy as np

from mtbridge.inference.intervals import interval

SUPPORTED, CONTRADICTED, OPEN, NOT_TESTABLE = "supported", "contradicted", "undecided", "not testable"


class Finding(NamedTuple):
    """What numbers say to a claim."""

    tested: str
    verdict: str
    effect: float = np.nan
    low: float = np.nan
    high: float = np.nan
    unit: str = ""
    basis: str = ""


def not_testable(why: str) -> Finding:
    """No finding, and why."""
    return Finding(why, NOT_TESTABLE)


def direction(low: float, high: float) -> str:
    """Whether an interval supports that something is above zero."""
    if np.isnan(low) or np.isnan(high):
        return OPEN
    return SUPPORTED if low > 0 else CONTRADICTED if high < 0 else OPEN


def above_zero(tested: str, values: np.ndarray, unit: str, basis: str, sign: int = 1) -> Finding:
    """Whether the mean of values is above zero (sign −1: below), by the t interval over them."""
    values = np.asarray(values, float)
    mean, variance = float(values.mean()), float(values.var(ddof=1)) / len(values)
    low, high = interval(mean, variance, len(values) - 1)
    return Finding(tested, direction(*sorted((sign * low, sign * high))), mean, low, high, unit, basis)
