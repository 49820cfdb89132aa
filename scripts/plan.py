"""Print what a study costs and which part is done: runs by model and task, hours, disk. It runs and writes nothing.

In   --config: the user's page, and settings key=value that override it, as behind snakemake's --config; then the other
     options. Out  a text on stdout.
"""

import argparse
import os
from pathlib import Path

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--config",
        nargs="+",
        default=[],
        metavar="PAGE or KEY=VALUE",
        help="the user's page (default: config.yaml), and settings that override it, as models='[mbert]'",
    )
    parser.add_argument("--study", help="another study than the page's")
    parser.add_argument("--models", nargs="+", help="these models only")
    parser.add_argument("--tasks", nargs="+", help="these tasks only")
    parser.add_argument("--seeds", nargs="+", type=int, help="these seeds only")
    parser.add_argument("--results", help="the study's results (default: results/<its name>)")
    arguments = parser.parse_args()

    from mtbridge.base.errors import MtbridgeError
    from mtbridge.presentation import catalog
    from mtbridge.study.config_words import read_words
    from mtbridge.study.grid import Study
    from mtbridge.study.layers import merge, read_yaml
    from mtbridge.study.load import load
    from mtbridge.study.plan import plan, text

    pages = [word for word in arguments.config if "=" not in word]
    if len(pages) > 1:
        raise MtbridgeError(f"--config: {pages[1]} is a second page; expected one, and settings as key=value")
    user = read_yaml(Path(*pages or ("config.yaml",)))
    words = read_words(word for word in arguments.config if "=" in word)
    options = {key: getattr(arguments, key) for key in ("study", "models", "tasks", "seeds")}
    # A setting behind --config replaces groups of the page key by key, as Snakemake's own does.
    user = merge(user, {**words, **{key: value for key, value in options.items() if value}})
    study = Study(load(user))
    views: dict[str, list[str]] = {"tables": [], "figures": []}
    for entry in catalog.ENTRIES:
        paths = [os.path.relpath(path, study.results) for path in entry.outputs(study) if path.endswith(".csv")]
        views[f"{entry.kind}s"] += paths
    print(text(plan(study, arguments.results, views)), end="")


if __name__ == "__main__":
    command(main)
