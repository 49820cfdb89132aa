"""Translate a test set in every direction in which a model translates.

In: a whole checkpoint, its tokenizer, a line-aligned corpus. Out: a Parquet file with a row for each translation.
"""

import argparse
from pathlib import Path

from mtbridge.base.devices import add_gpu_options, reserve
from mtbridge.base.program import command


def main():
    from mtbridge.specs.adaptation import Decoding
    from mtbridge.specs.options import add_options, read_options

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--texts", required=True, help="folder of <language>.txt, aligned line by line")
    parser.add_argument("--languages", nargs="+", required=True, help="those of the texts that are translated")
    parser.add_argument("--directions", required=True)
    parser.add_argument(
        "--source-language", default="en", help="the language that all directions have as source or target"
    )
    parser.add_argument("--threads", type=int, default=1)
    add_gpu_options(parser)
    parser.add_argument("--output", required=True)
    add_options(parser, Decoding)
    arguments = parser.parse_args()

    reserve(arguments)

    from mtbridge.generation.translation import TranslationFiles, write_translations

    write_translations(
        TranslationFiles(
            checkpoint=Path(arguments.checkpoint),
            tokenizer=Path(arguments.tokenizer),
            texts=Path(arguments.texts),
            output=Path(arguments.output),
        ),
        arguments.languages,
        arguments.directions,
        read_options(arguments, Decoding),
        arguments.source_language,
        arguments.threads,
    )


if __name__ == "__main__":
    command(main)
