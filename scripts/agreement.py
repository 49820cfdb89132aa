"""Say how many published values lie where ours would expect them, over all tables.

In   --tables, CSVs of scripts/table.py named table<N>.csv, made with published values; --study, JSON text or a file
Out  --csv (a row per table and part) and --md
"""

import argparse
import re
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", required=True, help="table<N>.csv")
    parser.add_argument("--study", required=True, help="models, tasks, recipes and seeds as JSON, or a file with it")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--md", required=True)
    arguments = parser.parse_args()

    from mtbridge.presentation import comparison, tables
    from mtbridge.presentation.layout import read_outline

    frames = {}
    for path in arguments.tables:
        name = re.fullmatch(r"table([1-5])\.csv", Path(path).name)
        if name is None:
            raise MtbridgeError(f"--tables: {path}: expected a file named table1.csv to table5.csv")
        frames[int(name[1])] = tables.read_csv(path)
    frame = comparison.agreement(frames, read_outline(arguments.study))
    tables.write(frame, comparison.layout_agreement(frame), arguments.csv, arguments.md)


if __name__ == "__main__":
    command(main)
