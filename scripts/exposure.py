"""Write what each model of a study has seen of each language: monolingual text, a side of translations, or nothing.

In   --study, whose models say it (JSON text or a file)
Out  --csv (model, language, exposure) and --md (languages down, models across)
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--md", required=True)
    arguments = parser.parse_args()

    from mtbridge.presentation import comparison, tables
    from mtbridge.presentation.layout import read_outline

    outline = read_outline(arguments.study)
    frame = tables.exposure(outline)
    tables.write(frame, comparison.layout_exposure(frame, outline), arguments.csv, arguments.md)


if __name__ == "__main__":
    command(main)
