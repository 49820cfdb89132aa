"""How far languages lie apart in a model's hidden states, and how well translations find each other, layer by layer.

In   a file of states (key = language, [layer, row, dim]); --aligned if row i is the same sentence in every language.
Out  Parquet with corpus, model, recipe, task, seed, layer, measure, source, target, value, low, high, null, n, halves
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--states", required=True, help="the model's states, safetensors")
    parser.add_argument("--corpus", required=True, help="the corpus's name, for the column corpus")
    parser.add_argument("--model", required=True, help="the model's name, for the column model")
    parser.add_argument("--aligned", action="store_true", help="rows of different languages are translations")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    import torch

    from mtbridge.base.files import write_parquet
    from mtbridge.representations.separability import separability

    begin_work()
    torch.set_num_threads(arguments.threads)
    frame = separability(arguments.states, arguments.model, arguments.corpus, arguments.aligned)
    write_parquet(frame, arguments.output)


if __name__ == "__main__":
    command(main)
