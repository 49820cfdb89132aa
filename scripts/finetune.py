"""Fine-tune an encoder on one task in English.

In: an encoder folder, the task's training tokens and examples. Out: weights (safetensors) and the run's record (JSON).
One process by itself; several with --gpus N, or under torchrun.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from _library import command
from _task import add_gpus, add_task, take_gpus, task_of


def commit() -> str | None:
    """The project's commit, if it is a checkout."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_task(parser)
    parser.add_argument("--model", required=True, help="name, for the record")
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--evaluation-tokens", help="needed when the selection is mean_dev")
    parser.add_argument("--evaluation-examples", help="likewise")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--recipe-name", default="", help="for the record")
    parser.add_argument("--identity", default="", help="digest of the code's meaning, for the record")
    parser.add_argument("--threads", type=int, default=1)
    add_gpus(parser)
    parser.add_argument("--state", help="folder for the state of an unfinished training; kept until it is finished")
    parser.add_argument("--state-every", type=float, default=5, help="minutes after which the state is kept again")
    parser.add_argument("--weights", required=True, help="file to write")
    parser.add_argument("--record", required=True, help="file to write")
    recipe = parser.add_argument_group("the recipe")
    recipe.add_argument("--learning-rate", type=float, required=True)
    recipe.add_argument("--epochs", type=int, required=True)
    recipe.add_argument("--batch-size", type=int, required=True)
    recipe.add_argument("--warmup", type=float, required=True, help="share of the steps")
    recipe.add_argument("--weight-decay", type=float, required=True)
    recipe.add_argument("--clip", type=float, required=True, help="largest norm of the gradients")
    recipe.add_argument("--dropout", type=float, required=True, help="before the head")
    recipe.add_argument("--max-length", type=int, required=True)
    recipe.add_argument("--pooling", required=True, choices=["mean", "first", "eos"])
    recipe.add_argument("--pair-encoding", required=True, choices=["family", "separator"])
    recipe.add_argument("--language-tag", required=True, choices=["own", "English"])
    recipe.add_argument("--selection", required=True, choices=["last", "en_dev", "mean_dev"])
    recipe.add_argument("--precision", required=True, choices=["fp32", "bf16"])
    arguments = parser.parse_args()

    if "WORLD_SIZE" not in os.environ:
        gpus = take_gpus(arguments)
        if gpus > 1:  # start again as several processes; how many is no part of what a run is
            several = str(Path(__file__).with_name("_several.py"))
            os.execv(sys.executable, [sys.executable, several, str(gpus), *sys.argv])

    from mtbridge.training.finetuning import Recipe, finetune

    evaluation = (arguments.evaluation_tokens, arguments.evaluation_examples)
    finetune(
        arguments.encoder,
        arguments.tokens,
        arguments.examples,
        task_of(arguments),
        Recipe(**{name: getattr(arguments, name) for name in Recipe.__dataclass_fields__}),
        arguments.seed,
        arguments.weights,
        arguments.record,
        {
            "model": arguments.model,
            "recipe_name": arguments.recipe_name,
            "identity": arguments.identity,
            "commit": commit(),
        },
        evaluation if all(evaluation) else None,
        arguments.threads,
        arguments.state,
        60 * arguments.state_every,
    )


if __name__ == "__main__":
    command(main)
