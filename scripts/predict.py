"""Predict every language and split of a task with a fine-tuned run, in one process.

In: an encoder folder, a run's weights and record, the task's evaluation tokens and examples. Out: a Parquet file.
"""

import argparse
import os

from _library import command
from _task import add_task, task_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_task(parser)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--record", required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--gpus", type=int, help="0: the CPU; default: what is there")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    if arguments.gpus == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""

    from mtbridge.classifier import predict_examples

    predict_examples(
        arguments.encoder,
        arguments.weights,
        arguments.record,
        arguments.tokens,
        arguments.examples,
        task_of(arguments),
        arguments.output,
        arguments.threads,
    )


if __name__ == "__main__":
    command(main)
