"""Similarity of hidden states by a measure: between models, or between languages inside each model, layer by layer.

In   one file of states per model (key = language, [layer, row, dim]), in the order of --models; --aligned if row i is
     the same sentence in every language
Out  Parquet with corpus, layer, language (or model), model_a, model_b (or language_a, language_b), estimator, value,
     low, high, null, n, halves (values on the half-subsamples behind the interval); between languages also aligned
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    from mtbridge.representations.measures import MEASURES

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", required=True, choices=list(MEASURES))
    parser.add_argument("--between", required=True, choices=["models", "languages"])
    parser.add_argument("--corpus", required=True, help="the corpus's name, for the column corpus")
    parser.add_argument("--models", required=True, nargs="+", help="names of the models")
    parser.add_argument("--states", required=True, nargs="+", help="their states, safetensors, in the same order")
    parser.add_argument("--aligned", action="store_true", help="rows of different languages are translations")
    parser.add_argument("--seed", type=int, default=0, help="of the half-subsamples behind the intervals")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    import torch

    from mtbridge.base.files import write_parquet
    from mtbridge.representations.similarity import compare_languages, compare_models
    from mtbridge.representations.states_file import files_of

    begin_work()
    torch.set_num_threads(arguments.threads)
    states = files_of(arguments.models, arguments.states)
    if arguments.between == "models":
        table = compare_models(states, arguments.corpus, arguments.measure, arguments.seed)
    else:
        table = compare_languages(states, arguments.corpus, arguments.aligned, arguments.measure, arguments.seed)
    write_parquet(table, arguments.output)


if __name__ == "__main__":
    command(main)
