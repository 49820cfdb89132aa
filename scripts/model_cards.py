"""Write for each model the metadata and the table of scores of a model card on the Hub.

In   the study (JSON text or a file), a protocol and its Table 4, and the results folder; from it scores.parquet,
     inference/generation.parquet, models/*/card.json, checkpoints/*/source.json, data/
Out  <output>/<model>.md
"""

import argparse
from pathlib import Path

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--results", required=True, help="the study's results folder")
    parser.add_argument("--protocol", required=True, help="the protocol that the cards show")
    parser.add_argument("--table", help="the CSV of that protocol's Table 4; none in a study that only writes texts")
    parser.add_argument("--output", required=True, help="folder of the cards")
    arguments = parser.parse_args()

    from mtbridge.base.files import atomic_write
    from mtbridge.presentation.exchange.model_cards import model_card
    from mtbridge.presentation.exchange.results import results
    from mtbridge.study.outline import read_outline

    outline = read_outline(arguments.study)
    tables = {arguments.protocol: arguments.table} if arguments.table else {}
    frame = results(arguments.results, outline, tables)
    for model in outline.models:
        text = model_card(frame, outline, arguments.results, model, arguments.table)
        with atomic_write(Path(arguments.output) / f"{model.key}.md") as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    command(main)
