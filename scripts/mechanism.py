"""How far languages lie apart in hidden states against what models are compared with, and beside transfer.

In: separability/<corpus>.parquet, inference/contrasts.parquet.
Out: two Parquet files, of differences in the last layer, and of the slope of zero-shot scores over them.
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="the study's outline as JSON")
    parser.add_argument("--protocol", required=True)
    parser.add_argument("--separability", required=True)
    parser.add_argument("--contrasts", required=True)
    parser.add_argument("--differences", required=True, help="output")
    parser.add_argument("--slopes", required=True, help="output")
    arguments = parser.parse_args()

    from mtbridge.base.files import read_parquet, write_parquet
    from mtbridge.inference import separability, verdicts
    from mtbridge.study.outline import read_outline

    outline = read_outline(arguments.study)
    found = separability.differences(outline, arguments.protocol, arguments.separability)
    write_parquet(found, arguments.differences)
    contrasts = read_parquet(arguments.contrasts, verdicts.COLUMNS)
    write_parquet(separability.slopes(outline, arguments.protocol, found, contrasts), arguments.slopes)


if __name__ == "__main__":
    command(main)
