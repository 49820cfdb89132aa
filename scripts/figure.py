"""Draw figure 1 (similarity of models) or 2 (similarity of languages).

In   the study (JSON text or a file) and cka/models.parquet (1) or cka/languages.parquet (2); optionally, for figure 2,
     the published values, which stand beside ours in the csv.
Out  png, svg, pdf, and a csv of all that the picture draws.
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, choices=(1, 2), required=True, help="which figure")
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--protocol", choices=("paper", "sound"), required=True)
    parser.add_argument("--similarity", required=True, help="cka/models.parquet for 1, cka/languages.parquet for 2")
    parser.add_argument("--corpus", required=True, help="which of the corpora in it")
    parser.add_argument("--reference", help="CSV of published values (figure 2)")
    parser.add_argument("--png", required=True)
    parser.add_argument("--svg", required=True)
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--csv", required=True)
    arguments = parser.parse_args()

    from mtbridge.base.files import read_parquet
    from mtbridge.presentation import comparison, figures, tables
    from mtbridge.presentation.layout import read_outline

    outline = read_outline(arguments.study)
    keys = (
        ["model_a", "model_b", "language"]
        if arguments.number == 1
        else ["model", "language_a", "language_b", "aligned"]
    )
    columns = ["corpus", "layer", *keys, "estimator", "value", "low", "high", "null", "n"]
    similarity = read_parquet(arguments.similarity, columns)
    figure, frame = figures.draw(arguments.number, outline, similarity, arguments.protocol, arguments.corpus)
    if arguments.reference and arguments.number == 2:
        frame = comparison.beside_cka(frame, tables.read_csv(arguments.reference))
    figures.write(figure, frame, arguments.png, arguments.svg, arguments.pdf, arguments.csv)


if __name__ == "__main__":
    command(main)
