"""The second ledger: findings of arXiv 2402.12279, and what the study's outputs say to each.

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
    from mtbridge.inference.claims.generation import ledger
    from mtbridge.study.outline import read_outline

    outline = read_outline(arguments.study)
    begin_work()
    write_parquet(ledger(outline, arguments.outputs), arguments.output)


if __name__ == "__main__":
    command(main)
