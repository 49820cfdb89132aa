"""Fine-tune an encoder on one task in English.

In: an encoder folder, the task's training tokens and examples. Out: weights (safetensors) and the run's record (JSON).
Runs as one process; with --gpus N or under torchrun, as several.
"""

import argparse
import os

from mtbridge.base.checkout import commit
from mtbridge.base.devices import add_gpu_options, reserve
from mtbridge.base.program import command
from mtbridge.base.several_processes import restart


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.recipe import Recipe
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--model", required=True, help="name, for the record")
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--evaluation-tokens", help="needed when the selection is mean_dev")
    parser.add_argument("--evaluation-examples", help="needed when the selection is mean_dev")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--recipe-name", default="", help="for the record")
    parser.add_argument("--identity", default="", help="digest of the code's meaning, for the record")
    parser.add_argument("--threads", type=int, default=1)
    add_gpu_options(parser)
    parser.add_argument(
        "--state", help="folder for the state of an unfinished training; removed when the training is finished"
    )
    parser.add_argument("--state-every", type=float, default=5, help="minutes between two saves of the state")
    parser.add_argument("--weights", required=True, help="file to write")
    parser.add_argument("--record", required=True, help="file to write")
    add_options(parser, Recipe)
    arguments = parser.parse_args()

    if "WORLD_SIZE" not in os.environ:
        gpus = reserve(arguments)
        if gpus > 1:  # start again as several processes; a run's identity does not depend on their number
            restart(gpus)

    from mtbridge.training.resume import StatePlace
    from mtbridge.training.run import finetune
    from mtbridge.training.run_data import RunFiles

    evaluation = (arguments.evaluation_tokens, arguments.evaluation_examples)
    files = RunFiles(
        encoder=arguments.encoder,
        tokens=arguments.tokens,
        examples=arguments.examples,
        weights=arguments.weights,
        record=arguments.record,
        evaluation=evaluation if all(evaluation) else None,
    )
    about = {
        "model": arguments.model,
        "recipe_name": arguments.recipe_name,
        "identity": arguments.identity,
        "commit": commit(),
    }
    finetune(
        files,
        read_options(arguments, Task),
        read_options(arguments, Recipe),
        arguments.seed,
        about,
        arguments.threads,
        StatePlace(arguments.state, 60 * arguments.state_every),
    )


if __name__ == "__main__":
    command(main)
