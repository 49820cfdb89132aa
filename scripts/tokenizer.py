"""Train a tokenizer on a corpus of all languages together.

In: a corpus folder with `<language>.txt`. Out: a tokenizer folder (tokenizer.json, special.json).
"""

import argparse
from pathlib import Path

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", required=True)
    parser.add_argument("--tags", nargs="+", help="languages that get a tag; default: those of the text")
    parser.add_argument("--vocabulary", type=int, required=True, help="number of entries, special tokens included")
    parser.add_argument("--sentinels", type=int, default=0, help="number of T5's sentinels among them; default 0")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.data.tokenizers import train_tokenizer

    texts = {language: arguments.corpus / f"{language}.txt" for language in arguments.languages}
    train_tokenizer(texts, arguments.vocabulary, arguments.output, arguments.tags, arguments.sentinels)


if __name__ == "__main__":
    command(main)
