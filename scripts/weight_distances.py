"""How far the weight matrices of an encoder are from its base's: k, q, v, out, fc1, fc2 of every layer.

In: the folders of the model and of its base, each with config.json and safetensors.
Out: Parquet with layer, matrix, base_norm, distance (Frobenius norms), uniform_share, values_share.
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the model's folder")
    parser.add_argument("--base", required=True, help="the folder of the model that it continues")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    import torch

    from mtbridge.base.files import write_parquet
    from mtbridge.weights.distances import distances

    begin_work()
    torch.set_num_threads(arguments.threads)
    write_parquet(distances(arguments.model, arguments.base), arguments.output)


if __name__ == "__main__":
    command(main)
