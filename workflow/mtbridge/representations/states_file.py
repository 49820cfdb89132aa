"""Opens files of pooled hidden states, checks that they fit together, and reads them one layer at a time."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.representations.subsamples import MINIMUM_ROWS


class StatesFile:
    """The states of one model on one corpus: language -> [layer, row, dim], read one layer at a time.

    Raises:
        MtbridgeError: the file is missing or not readable, or has states of a wrong shape or of too few rows.
    """

    def __init__(self, path: str | Path, stack: contextlib.ExitStack):
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
        self.layers = next(iter(self.shapes.values()), (0,))[0]  # embeddings included
        for language, shape in self.shapes.items():
            if len(shape) != 3 or 0 in shape:
                raise MtbridgeError(
                    f"{path}: '{language}' has shape {list(shape)}; expected [layer, row, dim]: make the states again"
                )
            if shape[0] != self.layers:
                raise MtbridgeError(
                    f"{path}: '{language}' has {shape[0]} layers, other languages {self.layers}; make the states again"
                )
            if shape[1] < MINIMUM_ROWS:
                raise MtbridgeError(
                    f"{path}: '{language}' has {shape[1]} rows; at least {MINIMUM_ROWS} are needed: give more sentences"
                )

    def layer(self, language: str, layer: int) -> torch.Tensor:
        """The states of a layer, [row, dim].

        Raises:
            MtbridgeError: a value is not finite; the message has the first such row.
        """
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
    """Model -> its file of states, from two lists in the same order.

    Raises:
        MtbridgeError: the lists have different lengths, or a model is in them twice.
    """
    if len(models) != len(paths) or len(set(models)) != len(models):
        raise MtbridgeError(
            f"{len(models)} names of models ({len(set(models))} different) and {len(paths)} files of states; "
            "expected one file for each model, each model once"
        )
    return dict(zip(models, paths, strict=True))


def open_states(
    states: Mapping[str, str | Path], stack: contextlib.ExitStack
) -> tuple[dict[str, StatesFile], list[str]]:
    """Open each model's states: model -> file, and the languages in alphabetical order.

    Raises:
        MtbridgeError: models differ in languages, or there are no states.
    """
    if not states:
        raise MtbridgeError("no states were given; expected one file per model")
    files = {model: StatesFile(path, stack) for model, path in states.items()}
    first = next(iter(files.values()))
    languages = sorted({language for file in files.values() for language in file.shapes})
    if not languages:
        raise MtbridgeError(f"{first.path}: holds no states; make them again")
    for file in files.values():
        for language in languages:
            if language not in file.shapes:
                raise MtbridgeError(
                    f"{file.path}: lacks the language '{language}', which other models have; make its states again"
                )
    return files, languages
