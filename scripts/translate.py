"""Show what a translation model has learnt: chrF on held-out sentences, one row per direction.

In: a whole checkpoint, a tokenized held-out corpus, its tokenizer. Out: a Parquet file.
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="name, for the table")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--corpus", required=True, help="folder of tokens")
    parser.add_argument("--texts", required=True, help="the same corpus as text")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--directions", required=True)
    parser.add_argument(
        "--source-language", default="en", help="the language that all directions have as source or target"
    )
    parser.add_argument("--lines", type=int, required=True, help="number of sentences per direction")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.training.pretraining.translation import TranslationFiles, translate

    translate(
        arguments.model,
        TranslationFiles(arguments.checkpoint, arguments.tokenizer, arguments.corpus, arguments.texts),
        arguments.directions,
        arguments.lines,
        arguments.output,
        arguments.threads,
        arguments.source_language,
    )


if __name__ == "__main__":
    command(main)
