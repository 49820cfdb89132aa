"""Write the outputs of an adapted model for the test examples of every language, and for English dev.

In: a whole checkpoint, its tokenizer, what an adaptation has trained, and examples. Out: a Parquet file.
"""

import argparse
from pathlib import Path

from mtbridge.base.program import command


def main():
    from mtbridge.specs.adaptation import Decoding
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--record", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--source-language", default="en", help="the language whose dev examples choose the rate")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    add_options(parser, Decoding)
    arguments = parser.parse_args()

    from mtbridge.generation.writing import OutputFiles, write_outputs

    write_outputs(
        OutputFiles(
            checkpoint=Path(arguments.checkpoint),
            tokenizer=Path(arguments.tokenizer),
            weights=Path(arguments.weights),
            record=Path(arguments.record),
            examples=Path(arguments.examples),
            output=Path(arguments.output),
        ),
        read_options(arguments, Task),
        read_options(arguments, Decoding),
        arguments.source_language,
        arguments.threads,
    )


if __name__ == "__main__":
    command(main)
