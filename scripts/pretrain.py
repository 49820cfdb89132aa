"""Pretrain a small model from scratch, or continue another's pretraining.

In: a tokenized corpus, a tokenizer, for continued pretraining a base checkpoint, for a control the model it matches.
Out: a whole checkpoint (config.json, model.safetensors, pretraining.json).
"""

import argparse

from mtbridge.base.program import command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.pretraining import Architecture, PretrainingPlan

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="folder of tokens")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--base", help="checkpoint to continue from")
    parser.add_argument("--match", help="checkpoint whose encoder tokens this pretraining gets, in as many steps")
    add_options(parser, PretrainingPlan)
    add_options(parser, Architecture)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--identity", default="", help="digest of the code's meaning, which the state belongs to")
    parser.add_argument(
        "--state", help="folder for the state of an unfinished training; removed when the training is finished"
    )
    parser.add_argument("--state-every", type=float, default=5, help="minutes between two saves of the state")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.training.pretraining.loop import PretrainingFiles, pretrain
    from mtbridge.training.resume import StatePlace

    pretrain(
        PretrainingFiles(arguments.corpus, arguments.tokenizer, arguments.output, arguments.base, arguments.match),
        read_options(arguments, PretrainingPlan),
        read_options(arguments, Architecture),
        arguments.threads,
        arguments.identity,
        StatePlace(arguments.state, 60 * arguments.state_every),
    )


if __name__ == "__main__":
    command(main)
