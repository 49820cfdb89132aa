"""Fine-tune and score one encoder beside a baseline: the cost first, then the study, a table and the page.

In   a checkpoint's folder, a model that a preset names, or owner/name on the Hub; tasks laid out as XGLUE, or none:
     then the preset's task is fetched from the Hub. Other keys of a config go behind --config.
Out  results/evaluate-<model>/, and the snakemake command that makes it, which one may type instead.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from mtbridge.base.program import command


def main():
    from mtbridge.study.evaluating import NONE, UNTRAINED

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a checkpoint's folder, a known model such as xlmr, or owner/name on the Hub")
    parser.add_argument(
        "--baseline",
        default=UNTRAINED,
        help=f"what it is compared with: another model, {NONE}, or {UNTRAINED}: the same architecture with weights "
        "drawn anew (default)",
    )
    parser.add_argument("--xglue", help="folder or tar.gz of tasks, laid out as XGLUE")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="further settings of the study")
    parser.add_argument("--cores", default="all", help="CPU cores (default: all)")
    parser.add_argument("--dry-run", action="store_true", help="print the cost and the command, and run nothing")
    arguments = parser.parse_args()

    from mtbridge.base.checkout import HOME
    from mtbridge.study.config_words import read_words
    from mtbridge.study.evaluating import as_command, config_of, snakemake_words
    from mtbridge.study.grid import Study
    from mtbridge.study.load import load
    from mtbridge.study.plan import plan, text

    config = config_of(arguments.model, arguments.baseline, arguments.xglue, read_words(arguments.config))
    study = Study(load(config))
    words = snakemake_words(config)
    print(text(plan(study)), end="", flush=True)
    print(f"\n{as_command(words)}\n", flush=True)
    if arguments.dry_run:
        return
    # With this Python's Snakemake; the user's config.yaml counts too, as in every run.
    run = [sys.executable, "-m", "snakemake", "--snakefile", str(HOME / "Snakefile"), "--cores", arguments.cores]
    done = subprocess.run([*run, *words], check=False)
    if done.returncode:
        sys.exit(done.returncode)
    print(f"\n{Path(study.results, 'tables/table1.md').read_text(encoding='utf-8')}")
    print(f"Page: {Path(study.results, 'report/index.html').resolve()}", flush=True)


if __name__ == "__main__":
    command(main)
