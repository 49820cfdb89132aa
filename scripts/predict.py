"""Predict every language and split of a task with a fine-tuned run, in one process.

In: an encoder folder, a run's weights and record, the task's evaluation tokens and examples. Out: a Parquet file.
"""

import argparse

from mtbridge.base.devices import add_gpu_options, reserve
from mtbridge.base.program import command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--record", required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--threads", type=int, default=1)
    add_gpu_options(parser)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    reserve(arguments)

    from mtbridge.training.prediction import predict_examples

    predict_examples(
        arguments.encoder,
        arguments.weights,
        arguments.record,
        arguments.tokens,
        arguments.examples,
        read_options(arguments, Task),
        arguments.output,
        arguments.threads,
    )


if __name__ == "__main__":
    command(main)
