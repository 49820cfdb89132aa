"""Join tables with the same columns into one, in the order of --tables.

In   --tables, Parquet files in --folder (the scores of all runs, or the similarities of all corpora)
Out  one Parquet file with the same columns
"""

import argparse
import os

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", default="")
    parser.add_argument("--tables", nargs="+", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    import pyarrow as pa

    from mtbridge.base.files import read_table, write_parquet

    tables: list[pa.Table] = []
    paths = [os.path.join(arguments.folder, name) for name in arguments.tables]
    for path in paths:
        table = read_table(path)
        if tables and table.schema != tables[0].schema:
            raise MtbridgeError(f"{path}: its columns are not those of {paths[0]}; delete the older one")
        tables.append(table)
    write_parquet(pa.concat_tables(tables), arguments.output)


if __name__ == "__main__":
    command(main)
