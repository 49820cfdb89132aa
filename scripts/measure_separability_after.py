"""As measure_separability.py, of the hidden states of a fine-tuned run, which are computed here and not kept.

In: an encoder folder, the run's weights and record, the corpus's tokens. Out: Parquet with the same columns.
"""

import argparse

from mtbridge.base.devices import add_gpu_options, reserve
from mtbridge.base.program import command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--record", required=True)
    parser.add_argument("--tokens", required=True, help="folder of the corpus's tokens")
    parser.add_argument("--languages", nargs="+", required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--corpus", required=True, help="the corpus's name, for the column corpus")
    parser.add_argument("--recipe", required=True, help="the run, for columns")
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--aligned", action="store_true", help="rows of different languages are translations")
    parser.add_argument("--threads", type=int, default=1)
    add_gpu_options(parser)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    reserve(arguments)

    import torch

    from mtbridge.base.files import write_parquet
    from mtbridge.representations.separability import measure, with_run
    from mtbridge.representations.states import states_of
    from mtbridge.training.weights_file import load

    torch.set_num_threads(arguments.threads)
    task = read_options(arguments, Task)
    model, _, _ = load(arguments.encoder, arguments.weights, arguments.record, task)
    states = states_of(model.encoder, arguments.encoder, arguments.tokens, arguments.languages, arguments.max_length)
    frame = measure({language: torch.from_numpy(each) for language, each in states.items()}, arguments.aligned)
    run = (arguments.corpus, arguments.model, arguments.recipe, task.name, arguments.seed)
    write_parquet(with_run(frame, *run), arguments.output)


if __name__ == "__main__":
    command(main)
