"""Scores of one run: every metric of its task, per language and split, with 95 % bootstrap intervals over examples.

In   --predictions of the run, --examples (the evaluation part of the task), --encoder of the model if it has one
Out  --output: recipe, model, task, seed, language, split, metric, official, value, low, high, n, degenerate,
     language_known, cut; --replicates: the bootstrap replicates behind the intervals, key <language>/<split>/<metric>.
     All in percent.
"""

import argparse
from pathlib import Path

from mtbridge.base.program import begin_work, command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Resampling, Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    add_options(parser, Resampling)
    parser.add_argument("--predictions", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--encoder", help="the model's folder; its card says which languages it has seen")
    parser.add_argument("--output", required=True)
    parser.add_argument("--replicates", required=True, help="file for the replicates, .npz")
    arguments = parser.parse_args()

    import numpy as np

    from mtbridge.base.files import atomic_write, read_json, read_table, write_parquet
    from mtbridge.inference.scoring import Run, score
    from mtbridge.tasks.kinds import kind_of

    begin_work()
    task, resampling = read_options(arguments, Task), read_options(arguments, Resampling)
    # The floor has no model, and all languages are the same to it.
    known = read_json(Path(arguments.encoder, "card.json"))["languages"] if arguments.encoder else None
    keys = ["language", "split", "example_id"]
    predictions = read_table(arguments.predictions, [*keys, "gold", "predicted", "scores"])
    beside = {*kind_of(task).columns_beside(task).values(), resampling.group} - {None}
    examples = read_table(arguments.examples, [*keys, "label", *sorted(beside)])
    scores, replicates = score(
        predictions,
        examples,
        task,
        Run(arguments.recipe, arguments.model, arguments.seed),
        known,
        where=arguments.predictions,
        resampling=resampling,
    )
    # The table is written before the replicates get their final name: both files are there, or no replicates.
    with atomic_write(arguments.replicates) as temporary:
        np.savez(temporary, **replicates)
        write_parquet(scores, arguments.output)


if __name__ == "__main__":
    command(main)
