"""Set how well models translate beside their zero-shot scores.

In: the study as JSON, summarised translations, and if there are any, scored runs and summarised outputs.
Out: a Parquet file.
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="the study as JSON, or a file of it")
    parser.add_argument("--protocol", required=True, help="by which runs are scored")
    parser.add_argument("--translation", required=True, help="file of summarised translations")
    parser.add_argument("--scores", help="folder of scored runs")
    parser.add_argument("--generation", help="file of summarised outputs")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.base.files import read_parquet, write_parquet
    from mtbridge.base.program import begin_work
    from mtbridge.inference import generation, translation
    from mtbridge.inference.translators import translators
    from mtbridge.study.outline import read_outline

    outline = read_outline(arguments.study)
    begin_work()
    summary = read_parquet(arguments.translation, translation.COLUMNS)
    outputs = read_parquet(arguments.generation, generation.COLUMNS) if arguments.generation else None
    write_parquet(translators(outline, arguments.protocol, summary, arguments.scores, outputs), arguments.output)


if __name__ == "__main__":
    command(main)
