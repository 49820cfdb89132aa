"""Write every score of a study as JSON Lines in the schema of Every Eval Ever.

In   the study (JSON text or a file), Table 4 of its protocols, and its results folder; from it scores.parquet, dates of
     scores/ and outputs/, runs/*/run.json, inference/generation.parquet, models/*/card.json, data/
Out  every_eval_ever.jsonl
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--results", required=True, help="the study's results folder")
    parser.add_argument("--protocols", nargs="*", default=[], help="the protocols that the tables show, in their order")
    parser.add_argument("--tables", nargs="*", default=[], help="the CSV of Table 4 of each of these protocols")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    if len(arguments.protocols) != len(arguments.tables):
        parser.error("--tables: expected one for each of --protocols")

    from mtbridge.base.files import atomic_write
    from mtbridge.presentation.exchange import every_eval_ever
    from mtbridge.presentation.exchange.results import results
    from mtbridge.study.outline import read_outline

    outline = read_outline(arguments.study)
    tables = dict(zip(arguments.protocols, arguments.tables, strict=True))
    found = every_eval_ever.records(results(arguments.results, outline, tables), outline, arguments.results)
    with atomic_write(arguments.output) as temporary:
        temporary.write_text(every_eval_ever.to_lines(found), encoding="utf-8")


if __name__ == "__main__":
    command(main)
