"""Print what a study costs and which part is done: runs by model and task, hours, disk. It runs and writes nothing.

In   --config, the user's page; the other options override it. Out  a text on stdout.
"""

import argparse
import os
from pathlib import Path

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="config.yaml", help="the user's page (default: config.yaml)")
    parser.add_argument("--study", help="another study than the page's")
    parser.add_argument("--models", nargs="+", help="these models only")
    parser.add_argument("--tasks", nargs="+", help="these tasks only")
    parser.add_argument("--seeds", nargs="+", type=int, help="these seeds only")
    parser.add_argument("--results", help="the study's results (default: results/<its name>)")
    arguments = parser.parse_args()

    from mtbridge.presentation import catalog
    from mtbridge.study.grid import Study
    from mtbridge.study.layers import read_yaml
    from mtbridge.study.load import load
    from mtbridge.study.plan import plan, text

    user = read_yaml(Path(arguments.config))
    overrides = {key: getattr(arguments, key) for key in ("study", "models", "tasks", "seeds")}
    study = Study(load({**user, **{key: value for key, value in overrides.items() if value}}))
    views: dict[str, list[str]] = {"tables": [], "figures": []}
    for entry in catalog.ENTRIES:
        paths = [os.path.relpath(path, study.results) for path in entry.outputs(study) if path.endswith(".csv")]
        views[f"{entry.kind}s"] += paths
    print(text(plan(study, arguments.results, views)), end="")


if __name__ == "__main__":
    command(main)
