"""Debiased linear CKA of every pair of representations, on the same rows, in float64.

States are like a study's: the representations share a part, so that values lie between 0 and 1.
"""

import itertools

from benchmarks.work import Work


def representations(sizes):
    """A list of float64 [rows, dim], the same in every process."""
    import torch

    generator = torch.Generator().manual_seed(0)
    normal = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    shared = normal(sizes["rows"], sizes["dim"])
    count = sizes["models"] * sizes["languages"]
    return [shared * (i + 1) / count + normal(sizes["rows"], sizes["dim"]) for i in range(count)]


def ours(folder, sizes, clock):
    from mtbridge.representations.cka import cka, gram_products

    states = representations(sizes)
    with clock:
        values = cka(gram_products(states), "debiased")[0]
    return figures(values)


def ours_with_intervals(folder, sizes, clock):
    """The computation of a study: both estimators, each with its null and an interval from 100 half-subsamples."""
    from mtbridge.representations.cka import similarities

    states = representations(sizes)
    with clock:
        values = similarities(states)["debiased"].value
    return figures(values)


def library(folder, sizes, clock):
    from ckatorch.core import cka_base

    return figures(pair_by_pair(lambda x, y: cka_base(x, y, unbiased=True), representations(sizes), clock))


def formula(folder, sizes, clock):
    """A direct implementation of the formula: two Grams and three HSICs for each pair."""

    def cka(x, y):
        k, m = (states @ states.T for states in (x - x.mean(0), y - y.mean(0)))
        k.fill_diagonal_(0)
        m.fill_diagonal_(0)
        return hsic(k, m) / (hsic(k, k) * hsic(m, m)).sqrt()

    return figures(pair_by_pair(cka, representations(sizes), clock))


def hsic(k, m):
    """HSIC₁ of Song et al. (2012), equation 5, on Gram matrices with a zero diagonal."""
    n = len(k)
    middle = k.sum() * m.sum() / ((n - 1) * (n - 2))
    return ((k @ m).trace() + middle - 2 / (n - 2) * (k.sum(0) @ m.sum(1))) / (n * (n - 3))


def pair_by_pair(cka, states, clock):
    import torch

    with clock:
        values = torch.eye(len(states), dtype=torch.float64)
        for a, b in itertools.combinations(range(len(states)), 2):
            values[a, b] = values[b, a] = cka(states[a], states[b])
    return values


def figures(values) -> dict:
    import torch

    a, b = torch.triu_indices(len(values), len(values), 1)
    return {"values": values[a, b].tolist()}


WORK = Work(
    "debiased CKA of all pairs of {models} models × {languages} languages, {rows} rows of {dim}",
    {
        "ours": ours,
        "ours, biased too, nulls, intervals of 100 halves": ours_with_intervals,
        "ckatorch, pair by pair": library,
        "the formula, pair by pair": formula,
    },
    {"models": 9, "languages": 5, "rows": 400, "dim": 512},
    {"models": 3, "languages": 2, "rows": 60, "dim": 20},
    tolerance=1e-9,
)
