"""Choose a learning rate per model and task on English dev, among a study's recipes that differ in nothing else.

In   --scores, the merged scores; --study, models, tasks and recipes with their settings (JSON text or a file)
Out  --csv (a row per task and model) and --md
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", required=True, help="scores.parquet")
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--protocol", choices=("paper", "sound"), required=True, help="of the scores that are shown")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--md", required=True)
    arguments = parser.parse_args()

    from mtbridge.base.files import read_parquet
    from mtbridge.presentation import comparison, tables
    from mtbridge.presentation.layout import read_outline

    outline = read_outline(arguments.study)
    columns = ["recipe", "model", "task", "seed", "language", "split", "metric", "value"]
    frame = comparison.choose(read_parquet(arguments.scores, columns), outline, arguments.protocol)
    tables.write(frame, comparison.layout_choice(frame, outline), arguments.csv, arguments.md)


if __name__ == "__main__":
    command(main)
