"""Summarise the scores of outputs: means with intervals, chosen rates, and what they say to the findings of the paper.

In: the study as JSON, the folder of scored outputs. Out: two Parquet files.
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="the study as JSON, or a file of it")
    parser.add_argument("--outputs", required=True, help="folder of the scored outputs")
    parser.add_argument("--summary", required=True, help="file of the means to write")
    parser.add_argument("--ledger", required=True, help="file of the findings to write")
    arguments = parser.parse_args()

    from mtbridge.base.files import write_parquet
    from mtbridge.base.program import begin_work
    from mtbridge.inference.claims.generation import ledger
    from mtbridge.inference.generation import summarise, written_of
    from mtbridge.study.outline import read_outline

    outline = read_outline(arguments.study)
    begin_work()
    written = written_of(outline, arguments.outputs)
    write_parquet(summarise(outline, written), arguments.summary)
    write_parquet(ledger(outline, written), arguments.ledger)


if __name__ == "__main__":
    command(main)
