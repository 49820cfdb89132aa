"""The study's contrasts with verdicts, and a ranking of its models.

In   --scores: the folder of scored runs; --study: the study as JSON (see mtbridge/study/outline.py)
Out  --contrasts and --ranking: Parquet files; the columns are those of mtbridge/inference/verdicts.py and ranking.py
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="the study as JSON, or a file of it")
    parser.add_argument("--scores", required=True, help="folder of scored runs")
    parser.add_argument("--contrasts", required=True)
    parser.add_argument("--ranking", required=True)
    arguments = parser.parse_args()

    from mtbridge.base.files import write_parquet
    from mtbridge.inference.ranking import ranking_frame
    from mtbridge.inference.verdicts import contrasts_frame
    from mtbridge.study.outline import read_outline

    begin_work()
    outline = read_outline(arguments.study)
    write_parquet(contrasts_frame(outline, arguments.scores), arguments.contrasts)
    write_parquet(ranking_frame(outline, arguments.scores), arguments.ranking)


if __name__ == "__main__":
    command(main)
