"""How often a sentence's nearest neighbour in another language is its translation, in every layer of a model.

In   files of states (key = language, [layer, row, dim]) and folders of texts, one for each of --corpora
Out  Parquet with corpus, model, source, target, measure, layer, layers, value, low, high, null, n, repeated, halves
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the model's name, for the column model")
    parser.add_argument("--corpora", nargs="+", required=True, help="names of corpora")
    parser.add_argument("--states", nargs="+", required=True, help="the model's states on each, safetensors")
    parser.add_argument("--texts", nargs="+", required=True, help="the folder of texts of each")
    parser.add_argument("--source-language", required=True, help="to and from which translations are looked for")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    import torch

    from mtbridge.base.files import write_parquet
    from mtbridge.representations.retrieval import retrieval
    from mtbridge.representations.states_file import files_of

    begin_work()
    torch.set_num_threads(arguments.threads)
    states = files_of(arguments.corpora, arguments.states)
    texts = files_of(arguments.corpora, arguments.texts)
    frame = retrieval(states, texts, arguments.model, arguments.source_language)
    write_parquet(frame, arguments.output)


if __name__ == "__main__":
    command(main)
