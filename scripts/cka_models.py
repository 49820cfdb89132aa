"""CKA between models, for each layer and language, from their hidden states on the same sentences.

In: one file of states per model (key = language, [layer, row, dim]), in the order of --models.
Out: Parquet with corpus, layer, language, model_a, model_b, estimator, value, low, high, null, n.
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="the corpus's name, kept in the table")
    parser.add_argument("--models", required=True, nargs="+", help="names of the models")
    parser.add_argument("--states", required=True, nargs="+", help="their states, safetensors, in the same order")
    parser.add_argument("--seed", type=int, default=0, help="draws the half-subsamples of the intervals")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    import torch

    from mtbridge.base.files import write_parquet
    from mtbridge.representations.similarity import compare_models, files_of

    begin_work()
    torch.set_num_threads(arguments.threads)
    states = files_of(arguments.models, arguments.states)
    write_parquet(compare_models(states, arguments.corpus, arguments.seed), arguments.output)


if __name__ == "__main__":
    command(main)
