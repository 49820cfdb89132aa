"""Make one of the tables 1–5: a long CSV, and the same laid out as Markdown and LaTeX.

In   the study (JSON text or a file), and a folder: scores/ for tables 1 and 4, spectra/ for 2 and 5, data/ for 3;
     optionally the published values. What the study expects and the folder lacks is a gap.
Out  table<N>.csv, .md, .tex
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, choices=range(1, 6), required=True, help="which table")
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--protocol", choices=("paper", "sound"), required=True)
    parser.add_argument("--inputs", required=True, help="the folder scores/, spectra/ or data/ of the results")
    parser.add_argument("--reference", help="CSV of published values to stand beside ours")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--md", required=True)
    parser.add_argument("--tex", required=True)
    arguments = parser.parse_args()

    from mtbridge.presentation import tables
    from mtbridge.presentation.layout import read_outline

    outline = read_outline(arguments.study)
    frame = tables.make(arguments.number, outline, arguments.protocol, arguments.inputs, arguments.reference)
    layout = tables.lay_out(arguments.number, frame, outline, arguments.protocol)
    tables.write(frame, layout, arguments.csv, arguments.md, arguments.tex)


if __name__ == "__main__":
    command(main)
