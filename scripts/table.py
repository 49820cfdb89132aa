"""Make one of the catalog's tables: a CSV in long format, and the same numbers laid out as Markdown and LaTeX.

In   the study (JSON text or a file), and the input that the catalog names for the table; optionally the published
     values. A result that the study expects but the input lacks is a gap.
Out  <name>.csv, .md, .tex
"""

import argparse

from mtbridge.base.program import command


def main():
    from mtbridge.presentation import catalog, making

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", choices=catalog.names("table"), required=True, help="which table")
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--protocol", required=True, help="one of the study's protocols: how runs are scored and shown")
    parser.add_argument("--inputs", required=True, help="the results that the table is made from")
    parser.add_argument("--reference", help="CSV of published values to stand beside ours")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--md", required=True)
    parser.add_argument("--tex", required=True)
    arguments = parser.parse_args()

    from mtbridge.presentation.files import write_table
    from mtbridge.study.outline import read_outline

    entry, outline = catalog.find(arguments.name), read_outline(arguments.study)
    frame = making.make(entry, outline, arguments.protocol, arguments.inputs, arguments.reference)
    layout = making.lay_out(entry, frame, outline, arguments.protocol)
    width = outline.protocol(arguments.protocol).page_width
    write_table(frame, layout, arguments.csv, arguments.md, arguments.tex, width)


if __name__ == "__main__":
    command(main)
