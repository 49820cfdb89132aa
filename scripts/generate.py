"""Write the outputs of an adapted model for the test examples of every language, and for English dev.

In: a whole checkpoint, its tokenizer, what an adaptation has trained, and examples; for translate-test also these in
English, and the model that translates outputs back. Out: a Parquet file.
"""

import argparse
from pathlib import Path

from mtbridge.base.devices import add_gpu_options, reserve
from mtbridge.base.errors import MtbridgeError
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
    parser.add_argument("--translated", type=Path, help="the test's inputs in English")
    parser.add_argument("--translator", type=Path, help="whole checkpoint of the model that translates outputs back")
    parser.add_argument("--translator-tokenizer", type=Path)
    parser.add_argument("--source-language", default="en", help="the language whose dev examples choose the rate")
    parser.add_argument("--threads", type=int, default=1)
    add_gpu_options(parser)
    parser.add_argument("--output", required=True)
    add_options(parser, Decoding)
    arguments = parser.parse_args()

    reserve(arguments)

    from mtbridge.generation.translated import write_translated_outputs
    from mtbridge.generation.writing import OutputFiles, write_outputs

    files = OutputFiles(
        checkpoint=Path(arguments.checkpoint),
        tokenizer=Path(arguments.tokenizer),
        weights=Path(arguments.weights),
        record=Path(arguments.record),
        examples=Path(arguments.examples),
        output=Path(arguments.output),
    )
    task, decoding = read_options(arguments, Task), read_options(arguments, Decoding)
    about_language = (arguments.source_language, arguments.threads)
    by = arguments.translator, arguments.translator_tokenizer
    if arguments.translated is None:
        write_outputs(files, task, decoding, *about_language)
    elif None in by:
        raise MtbridgeError("--translated: needs --translator and --translator-tokenizer, to translate outputs back")
    else:
        write_translated_outputs(files, arguments.translated, by, task, decoding, *about_language)


if __name__ == "__main__":
    command(main)
