"""How alike two sets of hidden states are: linear CKA between models and between languages, with null and interval.

Centred kernel alignment (Kornblith et al. 2019) of two Gram matrices K = XXᵀ and L = YYᵀ over the same n rows is
⟨K, L⟩ / (‖K‖ ‖L‖) after centring. Two centrings, two estimators:

biased      K → HKH with H = I − 11ᵀ/n. Grows with dim/n even on unrelated states: .93 at n = 80, dim = 1024.
debiased    K → U-centred K (Székely & Rizzo 2014), zero diagonal; ⟨K, L⟩ is then n(n−3) HSIC₁ of Song et al. (2012).
            About 0 on unrelated states at any n and dim; slightly negative values occur and are left as they are.

Both centrings are linear, so both inner products follow from a few sums over the off-diagonal and the diagonal of
uncentred Grams. They are taken here for all pairs and all subsamples of rows at once: a subsample is a 0/1 column m
and its sum is mᵀ(K∘L)m, one matrix product for all subsamples. Grams exist a block of rows at a time; float64
throughout. This gives up seeing the centred Grams themselves, which nothing here needs.

CKA centres each language by itself: an offset between languages is invisible to it. It says whether sentences lie in
the same geometry, not whether languages lie in the same place.
"""

import contextlib
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.progress import Progress

ESTIMATORS = ("biased", "debiased")
SUBSAMPLES = 100  # the standard error from 100 halves is itself known to 7 %
MINIMUM_ROWS = 8  # U-centring needs 4 rows, and so does each half
BLOCK = 256  # rows of the Grams held at a time
ROUND_OFF = 1e-12  # share of a sum of squares below which float64 cannot tell a variance from none


class GramProducts(NamedTuple):
    """Sums over the rows of each subsample s, for each pair (a, b) of m Grams K; all that CKA needs."""

    rows: torch.Tensor  # [s] number of rows n
    entries: torch.Tensor  # [s, m, m] Σ_{i≠j} Ka_ij Kb_ij
    sums: torch.Tensor  # [s, m, m] Σ_i ra_i rb_i, with r_i = Σ_{j≠i} K_ij
    total: torch.Tensor  # [s, m] Σ_i r_i
    diagonal: torch.Tensor  # [s, m, m] Σ_i Ka_ii Kb_ii
    mixed: torch.Tensor  # [s, m, m] Σ_i Ka_ii rb_i
    trace: torch.Tensor  # [s, m] Σ_i K_ii


class Similarity(NamedTuple):
    """CKA of each pair of m representations, and what it must be read against; all [m, m] float64."""

    value: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    null: torch.Tensor


def _standardize(states: torch.Tensor) -> torch.Tensor:
    """[row, dim] in float64, columns centred, unit Frobenius norm unless all is 0.

    Centring and scale do not change CKA. They keep the sums below free of large terms that cancel.
    """
    states = states.to(torch.float64)
    centred = states - states.mean(0)
    norm = torch.linalg.vector_norm(centred)
    return centred / norm if norm > 0 else centred


def gram_products(states: Sequence[torch.Tensor], subsamples: torch.Tensor | None = None) -> GramProducts:
    """The sums behind CKA for all pairs of `states`, m tensors [row, dim] with equal rows; dims may differ.

    `subsamples`: 0/1 columns [row, s], one subsample of rows each. Without it there is one (s = 1): all rows.
    """
    states = [_standardize(x) for x in states]
    n, m = len(states[0]), len(states)
    masks = torch.ones(n, 1, dtype=torch.float64) if subsamples is None else subsamples.to(torch.float64)
    s = masks.shape[1]
    entries, sums, diagonal, mixed = (torch.zeros(s, m, m, dtype=torch.float64) for _ in range(4))
    total, trace = (torch.zeros(s, m, dtype=torch.float64) for _ in range(2))
    for start in range(0, n, BLOCK):
        mask = masks[start : start + BLOCK]  # [r, s]
        r = len(mask)
        grams = torch.stack([x[start : start + r] @ x.T for x in states])  # [m, r, n]
        own = grams.diagonal(offset=start, dim1=1, dim2=2)  # [m, r], a view: copied before it is cleared
        diagonals, own[:] = own.clone(), 0
        row_sums = grams @ masks * mask  # [m, r, s]; 0 for rows outside the subsample
        for a in range(m):
            products = (grams[a] * grams[a:]).reshape(-1, n) @ masks  # [(m − a) · r, s]
            entries[:, a, a:] += (products.view(m - a, r, s) * mask).sum(1).T
        masked = diagonals[:, :, None] * mask  # [m, r, s]
        sums += torch.einsum("ars,brs->sab", row_sums, row_sums)
        diagonal += torch.einsum("ars,br->sab", masked, diagonals)
        mixed += torch.einsum("ar,brs->sab", diagonals, row_sums)
        total += row_sums.sum(1).T
        trace += masked.sum(1).T
    entries = entries.triu() + entries.triu(1).mT
    return GramProducts(masks.sum(0), entries, sums, total, diagonal, mixed, trace)


def inner_products(products: GramProducts, estimator: str) -> torch.Tensor:
    """⟨Ka, Kb⟩ of the centred Grams, [s, m, m]; `estimator` is one of ESTIMATORS.

    biased      tr(KHLH) = ΣKL − (2/n) Σ_i rK_i rL_i + ΣK ΣL / n², diagonals included (Gretton et al. 2005)
    debiased    ΣKL + ΣK ΣL / ((n−1)(n−2)) − 2/(n−2) Σ_i rK_i rL_i, diagonals zero: n(n−3) HSIC₁ of Song et al. (2012)

    A squared norm that is round-off, because no row of a subsample differs from another, is exactly 0.
    """
    n = products.rows[:, None, None]
    everything = products.entries + products.diagonal
    if estimator == "biased":
        sums = products.sums + products.mixed + products.mixed.mT + products.diagonal
        total = products.total + products.trace
        inner = everything - 2 / n * sums + total[:, :, None] * total[:, None, :] / n**2
    else:
        total = products.total[:, :, None] * products.total[:, None, :]
        inner = products.entries + total / ((n - 1) * (n - 2)) - 2 / (n - 2) * products.sums
    norms = inner.diagonal(dim1=1, dim2=2)
    norms[norms <= ROUND_OFF * everything.diagonal(dim1=1, dim2=2)] = 0
    return inner


def cka(products: GramProducts, estimator: str) -> torch.Tensor:
    """CKA of each pair in each subsample, [s, m, m], within [−1, 1]; 0 with states whose rows are all the same."""
    inner = inner_products(products, estimator)
    norms = inner.diagonal(dim1=1, dim2=2).sqrt()
    scale = norms[:, :, None] * norms[:, None, :]
    return torch.where(scale > 0, inner / scale, 0.0).clamp(-1, 1)


def null(products: GramProducts, estimator: str) -> torch.Tensor:
    """What CKA is on average when the rows of one side are shuffled, [s, m, m].

    biased      tr(K) tr(L) / ((n−1) ‖K‖ ‖L‖) of the centred Grams: the exact mean over all n! orders
    debiased    0, since HSIC₁ has mean 0 over the orders and the norms do not depend on them
    """
    inner = inner_products(products, estimator)
    if estimator == "debiased":
        return torch.zeros_like(inner)
    norms = inner.diagonal(dim1=1, dim2=2).sqrt()
    trace = products.trace - (products.total + products.trace) / products.rows[:, None]
    scale = norms[:, :, None] * norms[:, None, :] * (products.rows - 1)[:, None, None]
    return torch.where(scale > 0, trace[:, :, None] * trace[:, None, :] / scale, 0.0)


def half_subsamples(n: int, count: int = SUBSAMPLES, seed: int = 0) -> torch.Tensor:
    """0/1 columns [n, count], each a half (n // 2 rows) drawn without replacement; the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.rand(n, count, generator=generator, dtype=torch.float64).argsort(0)[: n // 2]
    return torch.zeros(n, count, dtype=torch.float64).scatter_(0, chosen, 1)


def similarities(states: Sequence[torch.Tensor], seed: int = 0, subsamples: int = SUBSAMPLES) -> dict[str, Similarity]:
    """CKA of all pairs of `states` (m tensors [row, dim]) by estimator, with null and 95 % interval over rows.

    The interval comes from half-subsamples, each centred anew (Politis & Romano 1994; Shao & Wu 1989). A statistic
    with variance σ²/n varies over subsamples of b rows, given the n rows, with variance σ²/b · (1 − b/n). So its
    standard error is the subsamples' standard deviation times sqrt(b/(n−b)), a factor of 1 at b = n/2, and the
    interval is value ± 1.96 of these, cut to the estimator's range. The deviations are from the subsamples' mean:
    the biased estimator is higher at n/2 than at n, and its interval tells the spread of the biased number, not its
    bias. For unrelated states the debiased CKA's variance falls like 1/n² instead, and the interval is √3 too wide:
    cautious about calling a value more than nothing. A row bootstrap would be wrong: a row drawn twice is alike to
    its twin in both Grams.
    """
    n = len(states[0])
    everything = torch.ones(n, 1, dtype=torch.float64)
    products = gram_products(states, torch.cat([everything, half_subsamples(n, subsamples, seed)], dim=1))
    result = {}
    for estimator in ESTIMATORS:
        values = cka(products, estimator)  # [1 + subsamples, m, m]
        error = values[1:].std(0) * (n // 2 / (n - n // 2)) ** 0.5
        least = 0.0 if estimator == "biased" else -1.0
        result[estimator] = Similarity(
            values[0],
            (values[0] - 1.96 * error).clamp(least, 1),
            (values[0] + 1.96 * error).clamp(least, 1),
            null(products, estimator)[0],
        )
    return result


class _States:
    """The states of one model on one corpus, read a layer at a time; key = language, [layer, row, dim]."""

    def __init__(self, path, stack: contextlib.ExitStack):
        from safetensors import SafetensorError, safe_open

        self.path = Path(path)
        if not self.path.is_file():
            raise MtbridgeError(f"{path}: no such file; the step that makes it has not run")
        try:
            self.file = stack.enter_context(safe_open(self.path, framework="pt"))
        except (SafetensorError, OSError) as error:
            raise MtbridgeError(
                f"{path}: not readable as safetensors ({error}); delete it so that it is made again"
            ) from error
        languages = self.file.keys()
        self.shapes = {language: tuple(self.file.get_slice(language).get_shape()) for language in languages}
        for language, shape in self.shapes.items():
            if len(shape) != 3 or 0 in shape:
                raise MtbridgeError(
                    f"{path}: '{language}' has shape {list(shape)}; expected [layer, row, dim]: make the states again"
                )
            if shape[1] < MINIMUM_ROWS:
                raise MtbridgeError(
                    f"{path}: '{language}' has {shape[1]} rows; CKA needs at least {MINIMUM_ROWS}: give more sentences"
                )

    def layer(self, language: str, layer: int) -> torch.Tensor:
        """[row, dim]; raises MtbridgeError naming the first row that holds NaN or infinity."""
        states = self.file.get_slice(language)[layer]
        finite = torch.isfinite(states).all(1)
        if not finite.all():
            row = int((~finite).nonzero()[0])
            raise MtbridgeError(
                f"{self.path}: '{language}' has values that are not finite, first in layer {layer}, row {row}; "
                "check the model's weights, then make the states again"
            )
        return states


def files_of(models: Sequence[str], paths: Sequence[str | Path]) -> dict[str, str | Path]:
    """Model -> its file of states, from two lists in the same order. MtbridgeError if they do not match."""
    if len(models) != len(paths) or len(set(models)) != len(models):
        raise MtbridgeError(
            f"{len(models)} names of models ({len(set(models))} different) and {len(paths)} files of states; "
            "expected one file for each model, each model once"
        )
    return dict(zip(models, paths, strict=True))


def _open(states: Mapping[str, str | Path], stack: contextlib.ExitStack) -> tuple[dict[str, _States], list[str], int]:
    """Open each model's states; returns them, their languages in alphabetical order, and the number of layers."""
    if not states:
        raise MtbridgeError("no states were given; expected one file per model")
    opened = {model: _States(path, stack) for model, path in states.items()}
    languages = sorted({language for one in opened.values() for language in one.shapes})
    if not languages:
        raise MtbridgeError(f"{next(iter(opened.values())).path}: holds no states; make them again")
    first = next(iter(opened.values()))
    layers = next(iter(first.shapes.values()), (0,))[0]
    for one in opened.values():
        for language in languages:
            if language not in one.shapes:
                raise MtbridgeError(
                    f"{one.path}: lacks the language '{language}', which other models have; make its states again"
                )
            if one.shapes[language][0] != layers:
                raise MtbridgeError(
                    f"{one.path}: '{language}' has {one.shapes[language][0]} layers where {first.path} has {layers}; "
                    "layers are compared by index: choose models of equal depth"
                )
    return opened, languages, layers


def _table(kind: str, cells: list[tuple[dict, dict]], corpus: str, seed: int, subsamples: int):
    """The DataFrame of all unordered pairs in all cells, in both estimators; `kind` of a pair is model or language.

    A cell is (its place in the table, with the layer; name -> (states, language) of those that are compared in it).
    """
    import pandas as pd

    for _, members in cells:
        first, language = next(iter(members.values()))
        n = first.shapes[language][1]
        for one, other in members.values():
            rows = one.shapes[other][1]
            if rows != n:
                raise MtbridgeError(
                    f"{one.path}: '{other}' has {rows} rows, but {first.path} has {n} for '{language}'; rows are "
                    "compared by index: make both from the same number of sentences"
                )
    records = []
    progress = Progress(f"CKA between {kind}s on {corpus}: cell", len(cells))
    for done, (place, members) in enumerate(cells, 1):
        states = [one.layer(language, place["layer"]) for one, language in members.values()]
        names = list(members)
        for estimator, found in similarities(states, seed, subsamples).items():
            for a, b in combinations(range(len(names)), 2):
                pair = {f"{kind}_a": names[a], f"{kind}_b": names[b], "estimator": estimator}
                numbers = {field: float(getattr(found, field)[a, b]) for field in found._fields}
                records.append({"corpus": corpus, **place, **pair, **numbers, "n": len(states[0])})
        progress(done)
    other = "language" if kind == "model" else "model"
    texts = ["corpus", other, f"{kind}_a", f"{kind}_b", "estimator"]
    columns = ["corpus", "layer", *texts[1:], "value", "low", "high", "null", "n"]
    # One model or one language makes no pair; the table is then empty, with the columns and kinds of a full one.
    kinds = {name: "str" if name in texts else "int64" if name in ("layer", "n") else "float64" for name in columns}
    return pd.DataFrame(records, columns=columns).astype(kinds)


def compare_models(states: Mapping[str, str | Path], corpus: str, seed: int = 0, subsamples: int = SUBSAMPLES):
    """CKA between all unordered pairs of models, for each layer and language: the same rows seen by two models.

    `states` maps a model to its file of states on `corpus`; dims may differ. Returns a DataFrame with the columns
    corpus, layer, language, model_a, model_b, estimator, value, low, high, null, n (rows); models pair in the order
    given. The same `seed` draws the same halves of rows in every cell, so cells can be compared.

    Raises MtbridgeError naming file and language for states that are missing, misshapen or not finite, for models
    that differ in languages, layers or rows, and for fewer than MINIMUM_ROWS rows.
    """
    with contextlib.ExitStack() as stack:
        opened, languages, layers = _open(states, stack)
        cells = [
            ({"layer": layer, "language": language}, {model: (one, language) for model, one in opened.items()})
            for language in languages
            for layer in range(layers)
        ]
        return _table("model", cells, corpus, seed, subsamples)


def compare_languages(
    states: Mapping[str, str | Path], corpus: str, aligned: bool, seed: int = 0, subsamples: int = SUBSAMPLES
):
    """CKA between all unordered pairs of languages, for each model and layer: row i of one against row i of another.

    `aligned` says whether row i is the same sentence in all languages and is kept in the table; where it is not, the
    rows are unrelated and a value says nothing beyond its null. Returns a DataFrame with the columns corpus, layer,
    model, language_a, language_b, estimator, value, low, high, null, n (rows), aligned; languages pair alphabetically.

    Raises MtbridgeError as `compare_models` does; with one language the table is empty.
    """
    with contextlib.ExitStack() as stack:
        opened, languages, layers = _open(states, stack)
        cells = [
            ({"layer": layer, "model": model}, {language: (one, language) for language in languages})
            for model, one in opened.items()
            for layer in range(layers)
        ]
        return _table("language", cells, corpus, seed, subsamples).assign(aligned=bool(aligned))
