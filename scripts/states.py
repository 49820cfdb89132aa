"""Pool an encoder's hidden states over each text of a corpus, for every layer and language.

In: an encoder folder, a tokenized corpus. Out: safetensors, key = language, float32 [layer, row, dim].
"""

import argparse

from mtbridge.base.devices import add_gpu_options, reserve
from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--corpus", required=True, help="folder of tokens")
    parser.add_argument("--languages", nargs="+", required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    add_gpu_options(parser)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    reserve(arguments)

    from mtbridge.representations.states import pooled_states

    pooled_states(
        arguments.encoder,
        arguments.corpus,
        arguments.languages,
        arguments.max_length,
        arguments.output,
        arguments.threads,
    )


if __name__ == "__main__":
    command(main)
