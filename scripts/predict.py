"""Predict every language and split of a task with a fine-tuned run, in one process.

In: an encoder folder, a run's weights and record, the task's evaluation tokens and examples. Out: a Parquet file.
"""

import argparse

from _library import command
from _task import add_gpus, add_task, take_gpus, task_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_task(parser)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--record", required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--threads", type=int, default=1)
    add_gpus(parser)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    take_gpus(arguments)

    from mtbridge.training.classifier import predict_examples

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
