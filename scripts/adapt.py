"""Adapt a sequence-to-sequence model to a task of generation.

In: a whole checkpoint, its tokenizer, the task's training examples. Out: what was trained (safetensors) and the run's
record (JSON). Runs as one process; with --gpus N or under torchrun, as several.
"""

import argparse
import os
from pathlib import Path

from mtbridge.base.checkout import commit
from mtbridge.base.devices import add_gpu_options, reserve
from mtbridge.base.program import command
from mtbridge.base.several_processes import restart


def main():
    from mtbridge.specs.adaptation import Adaptation
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--model", required=True, help="name, for the record")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--examples", nargs="+", required=True, help="a file for each language that is learnt from")
    parser.add_argument("--corpus", help="folder of tokens of the text that is mixed in")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--recipe-name", default="", help="for the record")
    parser.add_argument("--identity", default="", help="digest of the code's meaning, for the record")
    parser.add_argument("--threads", type=int, default=1)
    add_gpu_options(parser)
    parser.add_argument("--state", help="folder for the state of an unfinished training; removed when it is finished")
    parser.add_argument("--state-every", type=float, default=5, help="minutes between two saves of the state")
    parser.add_argument("--weights", required=True, help="file to write")
    parser.add_argument("--record", required=True, help="file to write")
    add_options(parser, Adaptation)
    arguments = parser.parse_args()

    if "WORLD_SIZE" not in os.environ:
        gpus = reserve(arguments)
        if gpus > 1:  # start again as several processes; a run's identity does not depend on their number
            restart(gpus)

    from mtbridge.generation.training import AdaptationFiles, adapt
    from mtbridge.training.resume import StatePlace

    about = {
        "model": arguments.model,
        "recipe_name": arguments.recipe_name,
        "identity": arguments.identity,
        "commit": commit(),
    }
    adapt(
        AdaptationFiles(
            checkpoint=Path(arguments.checkpoint),
            tokenizer=Path(arguments.tokenizer),
            examples=[Path(path) for path in arguments.examples],
            weights=Path(arguments.weights),
            record=Path(arguments.record),
            corpus=Path(arguments.corpus) if arguments.corpus else None,
        ),
        read_options(arguments, Task),
        read_options(arguments, Adaptation),
        arguments.seed,
        about,
        arguments.threads,
        StatePlace(arguments.state, 60 * arguments.state_every),
    )


if __name__ == "__main__":
    command(main)
