"""Score the outputs of a run one by one: ROUGE, chrF, exact match, and what is wrong with them.

In: the Parquet file of `generate`. Out: a Parquet file with a row for each output.
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outputs", required=True)
    parser.add_argument("--languages", nargs="+", required=True, help="those that an output may be in")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.generation.scores import score_outputs

    score_outputs(arguments.outputs, arguments.output, arguments.languages)


if __name__ == "__main__":
    command(main)
