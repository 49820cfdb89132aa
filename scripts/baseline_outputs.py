"""Write what no model is needed for: the input itself, or its first sentence, for the examples of a task of generation.

In: the task's evaluation examples. Out: a Parquet file like that of `generate`.
"""

import argparse

from mtbridge.base.program import command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--baseline", required=True, help="copy or first")
    parser.add_argument("--examples", required=True)
    parser.add_argument("--source-language", default="en")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.base.program import begin_work
    from mtbridge.generation.baselines import write_baseline

    task = read_options(arguments, Task)
    begin_work()
    write_baseline(arguments.baseline, arguments.examples, task, arguments.output, arguments.source_language)


if __name__ == "__main__":
    command(main)
