"""Examples of one task, from its source to Parquet.

In   --source, as JSON: kind and the keys of that kind (see mtbridge/specs/source.py)
Out  --part train: train and dev of the source language; --part evaluation: dev and test of every language, in the
     order of --languages. Columns split, language, example_id, the text columns (or tokens), label. The train part does
     not depend on the languages that are evaluated, so adding one retrains nothing. A record in the file holds what was
     read from the Hub (repository, commit, licence, files), how many dev examples were drawn from train, and how
     many examples the source has, of which those here may be a sample.
"""

import argparse
import json
import sys

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import begin_work, command


def main():
    from mtbridge.specs.options import add_options, read_options
    from mtbridge.specs.task import Task

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, Task)
    parser.add_argument("--source", required=True, help="where the examples come from, a JSON object")
    parser.add_argument("--part", choices=["train", "evaluation"], required=True)
    parser.add_argument("--source-language", default="en", help="the language of training")
    parser.add_argument("--languages", nargs="+", default=[], help="languages of the evaluation part")
    parser.add_argument("--dev-languages", nargs="+", help="of these, those that have dev; default: all")
    parser.add_argument("--lock", help="JSON file of commits and checksums of what is read from the Hub")
    for split in ("train", "dev", "test"):
        parser.add_argument(f"--{split}", type=int, help=f"largest number of {split} examples per language")
    parser.add_argument("--seed", type=int, default=0, help="seed of a generated source, and of samples")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    import pyarrow as pa

    from mtbridge.base.files import write_parquet
    from mtbridge.data.readers import hub, read_counted
    from mtbridge.specs.source import read_source

    begin_work()
    task = read_options(arguments, Task)
    try:
        source = read_source(json.loads(arguments.source))
    except ValueError as error:
        raise MtbridgeError(f"--source: not JSON ({error})") from error
    if arguments.part == "train":
        parts = [(arguments.source_language, "train"), (arguments.source_language, "dev")]
    else:
        with_dev = arguments.languages if arguments.dev_languages is None else arguments.dev_languages
        parts = [
            (language, split)
            for language in arguments.languages
            for split in ("dev", "test")
            if split == "test" or language in with_dev
        ]
    if not parts:
        raise MtbridgeError("--languages: the evaluation part needs at least one language")

    limits = {"train": arguments.train, "dev": arguments.dev, "test": arguments.test}
    tables: dict = {}
    counts: dict[str, dict[str, int]] = {}  # split -> language -> examples that the source has
    with hub.reading(arguments.lock) as current:
        for language, split in parts:
            table, there = read_counted(source, task, split, language, limits[split], arguments.seed)
            tables[language, split] = table
            counts.setdefault(split, {})[language] = there
            print(f"{task.name} {language} {split}: {table.num_rows} examples", file=sys.stderr)
            # So it is in the release's Thai part-of-speech files: a test score is then a dev score.
            texts = ["label", *task.columns]
            dev = tables.get((language, "dev")) if split == "test" else None
            if dev is not None and table.select(texts).equals(dev.select(texts)):
                print(f"warning: {task.name} {language}: dev and test hold the same examples", file=sys.stderr)
    record = {"sources": current.sources(), "dev_from_train": getattr(source, "dev_from_train", 0), "read": counts}
    write_parquet(pa.concat_tables(tables.values()), arguments.output, record)


if __name__ == "__main__":
    command(main)
