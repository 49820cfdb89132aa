"""Summarise translations: BLEU and chrF of every direction and of means, with intervals.

In: the study as JSON, the folder of counted translations. Out: a Parquet file.
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="the study as JSON, or a file of it")
    parser.add_argument("--translations", required=True, help="folder of the counted translations")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.base.files import write_parquet
    from mtbridge.base.program import begin_work
    from mtbridge.inference.translation import summarise, translated
    from mtbridge.study.outline import read_outline

    outline = read_outline(arguments.study)
    begin_work()
    write_parquet(summarise(outline, translated(outline, arguments.translations)), arguments.output)


if __name__ == "__main__":
    command(main)
