"""Put an encoder together from the weights of two: singular values of one, vectors of the other, or between them.

In: the encoder folders of a base and of another model that was continued from it. Out: an encoder folder.
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    from mtbridge.specs.intervention import InterventionPlan
    from mtbridge.specs.model import MODEL_KINDS
    from mtbridge.specs.options import add_options, read_options

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-encoder", required=True, help="encoder folder")
    parser.add_argument("--other-encoder", required=True, help="encoder folder")
    parser.add_argument("--model", required=True, help="the new model's name")
    parser.add_argument("--kind", required=True, choices=MODEL_KINDS)
    parser.add_argument("--base", required=True, help="name of the base, for the card")
    parser.add_argument("--other", required=True, help="name of the other model, for the card")
    add_options(parser, InterventionPlan)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    import torch

    from mtbridge.weights.interventions import derive

    begin_work()
    torch.set_num_threads(arguments.threads)
    card = {key: vars(arguments)[key] for key in ("model", "kind", "base", "other")}
    card["source"] = f"derived from {arguments.base} and {arguments.other}"
    plan = read_options(arguments, InterventionPlan)
    derive(arguments.base_encoder, arguments.other_encoder, plan, card, arguments.output)


if __name__ == "__main__":
    command(main)
