"""Pretrain a small model from scratch, or continue another's pretraining.

In: a tokenized corpus, a tokenizer, perhaps a base checkpoint.
Out: a whole checkpoint (config.json, model.safetensors, pretraining.json).
"""

import argparse

from _library import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="folder of tokens")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--base", help="checkpoint to continue from")
    parser.add_argument("--family", required=True)
    parser.add_argument("--objective", required=True, choices=["masked_lm", "denoising", "translation", "none"])
    parser.add_argument("--directions", help="of translation: many-to-one, one-to-many, english-centric or all")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--tokens-per-step", type=int, required=True, help="source and target tokens together")
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--warmup", type=float, required=True, help="share of the steps")
    parser.add_argument("--mask-share", type=float, default=0.0, help="of the tokens, in masked_lm and denoising")
    parser.add_argument("--sentences", type=int, required=True, help="lines that make one text")
    parser.add_argument("--seed", type=int, required=True)
    sizes = ("hidden-size", "layers", "decoder-layers", "heads", "feedforward", "positions")
    for size in sizes:
        parser.add_argument(f"--{size}", type=int, required=True)
    parser.add_argument("--initializer-range", type=float, required=True, help="spread of the first weights")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--identity", default="", help="digest of the code's meaning, which the state belongs to")
    parser.add_argument("--state", help="folder for the state of an unfinished training; kept until it is finished")
    parser.add_argument("--state-every", type=float, default=5, help="minutes after which the state is kept again")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.training.pretraining import Architecture, Plan, pretrain

    plan = Plan(
        family=arguments.family,
        objective=arguments.objective,
        directions=arguments.directions,
        steps=arguments.steps,
        tokens_per_step=arguments.tokens_per_step,
        learning_rate=arguments.learning_rate,
        warmup=arguments.warmup,
        mask_share=arguments.mask_share,
        sentences=arguments.sentences,
        seed=arguments.seed,
    )
    names = [*(size.replace("-", "_") for size in sizes), "initializer_range"]
    architecture = Architecture(**{name: getattr(arguments, name) for name in names})
    pretrain(
        arguments.corpus,
        arguments.tokenizer,
        plan,
        architecture,
        arguments.output,
        arguments.base,
        arguments.threads,
        arguments.identity,
        arguments.state,
        60 * arguments.state_every,
    )


if __name__ == "__main__":
    command(main)
