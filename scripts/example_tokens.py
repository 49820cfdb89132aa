"""Tokenize a task's examples, once for every model that shares the tokenizer and for all seeds.

In: a Parquet file of examples, a tokenizer folder. Out: a folder of flat int32 tokens, offsets and word starts.
"""

import argparse

from mtbridge.base.program import command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.data.tokenized import write_examples

    write_examples(arguments.tokenizer, arguments.examples, read_options(arguments, Task), arguments.output)


if __name__ == "__main__":
    command(main)
