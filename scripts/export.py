"""Write a run's predictions in the format of XGLUE's submissions, which its evaluation program reads.

In   --results, a study's folder; --recipe, --model and --seed, the run; --tasks, some of its tasks
Out  --output/<TASK>/<language>.prediction, one label per line
"""

import argparse
import sys

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", required=True, help="results/<study>")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--tasks", nargs="+", help="default: all tasks of the release that have predictions")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--output", required=True, help="folder; its content is replaced")
    arguments = parser.parse_args()

    from mtbridge.data import submission as export

    run = export.of_run(arguments.results, arguments.recipe, arguments.model, arguments.seed, arguments.tasks)
    for task, languages in export.export(*run, arguments.split, arguments.output).items():
        counts = ", ".join(f"{language} {count}" for language, count in languages.items())
        print(f"{task}: {counts}", file=sys.stderr)


if __name__ == "__main__":
    command(main)
