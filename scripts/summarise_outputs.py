"""Summarise the scores of outputs: means with intervals by way of adapting, rate, model and task; the chosen rates.

In: the study as JSON, the folder of scored outputs. Out: a Parquet file.
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="the study as JSON, or a file of it")
    parser.add_argument("--outputs", required=True, help="folder of the scored outputs")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.base.files import write_parquet
    from mtbridge.base.program import begin_work
    from mtbridge.inference.generation import summarise
    from mtbridge.study.outline import read_outline

    outline = read_outline(arguments.study)
    begin_work()
    write_parquet(summarise(outline, arguments.outputs), arguments.output)


if __name__ == "__main__":
    command(main)
