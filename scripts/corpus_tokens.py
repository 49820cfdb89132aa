"""Tokenize a corpus, once for every model that shares the tokenizer.

In: a corpus folder, a tokenizer folder. Out: a folder with a flat int32 array and its offsets for each language.
"""

import argparse
from pathlib import Path

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.data.tokenized import write_corpus

    texts = {language: arguments.corpus / f"{language}.txt" for language in arguments.languages}
    write_corpus(arguments.tokenizer, texts, arguments.output)


if __name__ == "__main__":
    command(main)
