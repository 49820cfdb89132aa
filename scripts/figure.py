"""Draw one of the catalog's figures.

In   the study (JSON text or a file), and the input that the catalog names for the figure: cka/models.parquet for
     figure 1, cka/languages.parquet for 2; optionally the published values, which get columns in the csv.
Out  png, svg, pdf, and a csv with all values of the picture.
"""

import argparse

from mtbridge.base.program import command


def main():
    from mtbridge.presentation import catalog, making

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", choices=catalog.names("figure"), required=True, help="which figure")
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--protocol", required=True, help="one of the study's protocols: how runs are scored and shown")
    parser.add_argument("--inputs", required=True, help="the results that the figure is made from")
    parser.add_argument("--reference", help="CSV of published values")
    parser.add_argument("--png", required=True)
    parser.add_argument("--svg", required=True)
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--csv", required=True)
    arguments = parser.parse_args()

    from mtbridge.presentation.figures.style import write
    from mtbridge.study.outline import read_outline

    entry, outline = catalog.find(arguments.name), read_outline(arguments.study)
    frame = making.make(entry, outline, arguments.protocol, arguments.inputs, arguments.reference)
    figure = making.draw(entry, frame, outline, arguments.protocol)
    write(figure, frame, arguments.png, arguments.svg, arguments.pdf, arguments.csv, entry.question)


if __name__ == "__main__":
    command(main)
