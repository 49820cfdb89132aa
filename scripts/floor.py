"""The floor: for every example (word) of a language and split the one answer that scores best on its gold labels.

In   --examples of one task, its evaluation part
Out  predictions as a model's: language, split, example_id, gold, predicted, scores (1 for the answer)
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.tasks.baseline import predict_constant

    begin_work()
    predict_constant(read_options(arguments, Task), arguments.examples, arguments.output)


if __name__ == "__main__":
    command(main)
