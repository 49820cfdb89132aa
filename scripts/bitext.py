"""Write the pairs of translations of one language and the source language, a corpus of two text files.

In   --folder, of the user's files, or --source, a table as JSON (kind and keys, see mtbridge/specs/source.py)
Out  a folder with `<language>.txt` and `<source language>.txt`, aligned, and source.json: what was read from the Hub,
     and how many sentences stand in more than one line
"""

import argparse
import json
import sys

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import begin_work, command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", required=True)
    parser.add_argument("--source-language", required=True)
    parser.add_argument("--folder", help="folder of the user's files")
    parser.add_argument("--stem", default="test", help="of their names")
    parser.add_argument("--source", help="a table with a pair in each row, a JSON object")
    parser.add_argument("--lock", help="JSON file of commits and checksums of what is read from the Hub")
    parser.add_argument("--lines", type=int, required=True, help="largest number of pairs")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sample")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.data import bitext
    from mtbridge.data.readers import hub
    from mtbridge.specs.source import Datasets, read_source

    begin_work()
    language, other = arguments.language, arguments.source_language
    with hub.reading(arguments.lock) as current:
        if arguments.folder:
            files = bitext.find_files(arguments.folder, arguments.stem, language, other)
            if files is None:
                raise MtbridgeError(f"{arguments.folder}: no pairs of '{language}' and '{other}'")
            pairs = bitext.read_files(files)
        else:
            source = read_source(json.loads(arguments.source or "{}"))
            if not isinstance(source, Datasets):
                raise MtbridgeError(f"--source: kind '{source.kind}' has no pairs; expected datasets")
            pairs = bitext.read_table(source, language)
    pairs = bitext.draw(pairs, arguments.lines, arguments.seed)
    for name, texts in zip((language, other), pairs, strict=True):
        if count := bitext.repeated(texts):
            print(f"{count} of {len(texts)} sentences in '{name}' stand in more than one line", file=sys.stderr)
    bitext.write(pairs, language, other, current.sources(), arguments.output)


if __name__ == "__main__":
    command(main)
