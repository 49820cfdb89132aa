"""The majority baseline: for every example (word) the class that is most frequent in English training data, or the mean
of its numbers.

In   --train and --evaluation, examples of one task
Out  predictions as a model's: language, split, example_id, gold, predicted, scores (the classes' shares in training)
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--train", required=True)
    parser.add_argument("--evaluation", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.tasks.baseline import predict_constant

    begin_work()
    predict_constant(read_options(arguments, Task), arguments.train, arguments.evaluation, arguments.output)


if __name__ == "__main__":
    command(main)
