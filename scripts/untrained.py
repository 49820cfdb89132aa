"""Make the encoder folder of a checkpoint's untrained twin: its architecture and tokenizer, weights drawn anew.

In: a checkpoint, a tokenizer folder. Out: a folder that every later step reads.
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
    parser.add_argument("--like", required=True, help="name of the model whose checkpoint it is, for the card")
    parser.add_argument("--seed", type=int, required=True, help="of the weights")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.models.untrained import untrained_encoder

    card = {"model": arguments.model, "kind": arguments.kind, "base": None}
    card["source"] = f"untrained, of the architecture of {arguments.like}"
    untrained_encoder(arguments.checkpoint, arguments.tokenizer, arguments.output, card, arguments.seed)


if __name__ == "__main__":
    command(main)
