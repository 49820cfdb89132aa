"""Write the report: one self-contained HTML page of a study's tables, figures, training and reading.

In   the study (JSON text or a file) and its results folder; from it tables/, figures/, scores/, runs/*/run.json,
     models/*/card.json, checkpoints/*/pretraining.json. The page says what is missing.
Out  index.html
"""

import argparse
from pathlib import Path

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--results", required=True, help="the study's results folder")
    parser.add_argument(
        "--protocols", nargs="+", required=True, help="the study's first protocol, then others that it shows"
    )
    parser.add_argument("--shown", nargs="+", help="the tables and figures that the study has; default: all")
    parser.add_argument(
        "--template", default=str(Path(__file__).resolve().parents[1] / "workflow" / "report" / "index.html.j2")
    )
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.presentation.page import build
    from mtbridge.study.outline import read_outline

    outline = read_outline(arguments.study)
    what = (arguments.results, outline, arguments.protocols, arguments.template, arguments.output)
    build.write(*what, arguments.shown)


if __name__ == "__main__":
    command(main)
