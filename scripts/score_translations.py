"""Count what BLEU and chrF need in every translation.

In: the Parquet file of `translate`. Out: a Parquet file with the same rows.
"""

import argparse
from pathlib import Path

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--translations", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.generation.translation_scores import score_translations

    score_translations(Path(arguments.translations), Path(arguments.output))


if __name__ == "__main__":
    command(main)
