"""Translate examples of a task of generation with a model of the study.

In: a whole checkpoint that translates, its tokenizer, examples. Out: a Parquet file of examples. --part train: the
English training examples in another language; --part evaluation: the other languages' test inputs in English.
"""

import argparse
from pathlib import Path

from mtbridge.base.devices import add_gpu_options, reserve
from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--part", choices=["train", "evaluation"], required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--language", help="of the training examples that are written")
    parser.add_argument("--source-language", default="en", help="the language of training")
    parser.add_argument("--threads", type=int, default=1)
    add_gpu_options(parser)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()

    reserve(arguments)

    import torch

    from mtbridge.generation.translated import TranslatedFiles, translate_evaluation, translate_training

    torch.set_num_threads(arguments.threads)
    files = TranslatedFiles(arguments.checkpoint, arguments.tokenizer, arguments.examples, arguments.output)
    task = read_options(arguments, Task)
    if arguments.part == "evaluation":
        translate_evaluation(files, task, arguments.source_language)
    elif arguments.language is None:
        raise MtbridgeError("--language: the training part needs the language that it is translated into")
    else:
        translate_training(files, task, arguments.language, arguments.source_language)


if __name__ == "__main__":
    command(main)
