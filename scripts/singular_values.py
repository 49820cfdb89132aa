"""The singular values of a model's encoder: k, q, v, out, fc1, fc2 of every layer.

In: a folder with config.json and safetensors, the encoder alone or a whole checkpoint.
Out: npz, key <layer>.<matrix>, float64, in descending order.
"""

import argparse

from mtbridge.base.program import begin_work, command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the model's folder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True, help="path of the npz")
    arguments = parser.parse_args()

    import numpy as np
    import torch

    from mtbridge.base.files import atomic_write
    from mtbridge.weights.spectra import singular_values

    begin_work()
    torch.set_num_threads(arguments.threads)
    spectra = singular_values(arguments.model)
    # As an open file: numpy adds .npz to a path that does not end in it.
    with atomic_write(arguments.output) as temporary, open(temporary, "wb") as file:
        np.savez(file, **spectra)


if __name__ == "__main__":
    command(main)
