"""Writes docs/input.md: what the readers make of changed files."""

import sys
import tempfile
from pathlib import Path

from tests.support.mutants.cases import CASES
from tests.support.mutants.mutant import report, try_all
from tests.support.mutants.page import page


def main() -> None:
    """Try all cases whose name holds the argument; print the page, or with an argument the faults."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    import datasets

    tallies = {}
    with tempfile.TemporaryDirectory() as folder:
        datasets.config.HF_DATASETS_CACHE, datasets.config.HF_HUB_OFFLINE = Path(folder, "cache"), True
        for number, case in enumerate(case for case in CASES if wanted in case.name):
            place = Path(folder, str(number))
            place.mkdir()
            tallies[case.name] = tally = try_all(case, place)
            print(f"{case.name}: {tally.total()} files, {len(tally.faults)} kinds of faults", file=sys.stderr)
            if wanted and tally.faults:
                print(report(case, tally))
    if not wanted:
        print(page(tallies), end="")


main()
