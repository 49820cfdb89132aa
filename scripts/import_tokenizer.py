"""Make the tokenizer folder of a published checkpoint.

In: a checkpoint with the files of a tokenizer. Out: a tokenizer folder (tokenizer.json,
special.json with the tags of the languages, null where the tokenizer has none, tokenizer_config.json).
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--family", help="model_type of the checkpoint; default: what its config says")
    parser.add_argument("--prefixes", nargs="+", default=[], help="what stands before an input's texts, in their order")
    parser.add_argument("--languages", nargs="+", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.models.published_tokenizers import import_tokenizer

    import_tokenizer(arguments.checkpoint, arguments.family, arguments.languages, arguments.output, arguments.prefixes)


if __name__ == "__main__":
    command(main)
