"""Make the encoder folder of a checkpoint: encoder tensors, config, tokenizer and card.

In: a checkpoint (trained here or a local directory), a tokenizer folder. Out: a folder that every later step reads.
"""

import argparse

from mtbridge.base.program import command


def main():
    from mtbridge.specs.model import MODEL_KINDS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--kind", required=True, choices=MODEL_KINDS)
    parser.add_argument("--base", help="model that this one was continued from")
    parser.add_argument("--source", required=True, help="where the checkpoint comes from, for the card")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.models.extraction import extract_encoder

    card = {key: vars(arguments)[key] for key in ("model", "kind", "base", "source")}
    extract_encoder(arguments.checkpoint, arguments.tokenizer, arguments.output, card)


if __name__ == "__main__":
    command(main)
