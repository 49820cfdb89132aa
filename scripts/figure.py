"""Draw one of the catalog's figures.

In   the study (JSON text or a file), and the input that the catalog names for the figure: cka/models.parquet for
     figure 1, cka/languages.parquet for 2; optionally the published values, which get columns in the csv.
Out  png, svg and pdf for a screen; pdf and png for print, as wide as the protocol says a page's text and one column of
     it are; and a csv with all values of the picture.
"""

import argparse

from mtbridge.base.program import command


def main():
    from mtbridge.presentation import catalog, making
    from mtbridge.presentation.entry import PRINTED

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", choices=catalog.names("figure"), required=True, help="which figure")
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--protocol", required=True, help="one of the study's protocols: how runs are scored and shown")
    parser.add_argument("--inputs", required=True, help="the results that the figure is made from")
    parser.add_argument("--reference", help="CSV of published values")
    parser.add_argument("--png", required=True)
    parser.add_argument("--svg", required=True)
    parser.add_argument("--pdf", required=True)
    for form in PRINTED:
        parser.add_argument(f"--{form}-pdf", help=f"the picture in print, as wide as a {form}")
        parser.add_argument(f"--{form}-png")
    parser.add_argument("--csv", required=True)
    arguments = parser.parse_args()

    from mtbridge.presentation.figures.style import write
    from mtbridge.study.outline import read_outline

    entry, outline = catalog.find(arguments.name), read_outline(arguments.study)
    frame = making.make(entry, outline, arguments.protocol, arguments.inputs, arguments.reference)
    figure = making.draw(entry, frame, outline, arguments.protocol)
    write(figure, frame, arguments.png, arguments.svg, arguments.pdf, arguments.csv, entry.question)
    for form, key in PRINTED.items():
        paths = {kind: getattr(arguments, f"{form}_{kind}") for kind in ("pdf", "png")}
        if any(paths.values()):
            width = getattr(outline.protocol(arguments.protocol), key)
            figure = making.draw(entry, frame, outline, arguments.protocol, width)
            write(figure, frame, title=entry.question, **paths)


if __name__ == "__main__":
    command(main)
