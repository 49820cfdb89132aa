"""Files of pooled hidden states: opened together, checked to fit each other, read a layer at a time."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.representations.subsamples import MINIMUM_ROWS


class StatesFile:
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
                    f"{path}: '{language}' has {shape[1]} rows; at least {MINIMUM_ROWS} are needed: give more sentences"
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


def open_states(
    states: Mapping[str, str | Path], stack: contextlib.ExitStack
) -> tuple[dict[str, StatesFile], list[str], int]:
    """Open each model's states; returns them, their languages in alphabetical order, and the number of layers."""
    if not states:
        raise MtbridgeError("no states were given; expected one file per model")
    opened = {model: StatesFile(path, stack) for model, path in states.items()}
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
