"""Write a corpus: one text file for each language.

In: nothing (a generated world), a folder of line-aligned files `<stem>.<language>`, or a task's examples.
Out: a folder with `<language>.txt`; line-aligned, except for examples that are not translations of each other. Of the
     generated text of pretraining also `<language>.senses.txt`: which words are translations of each other.
"""

import argparse
import json

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="which corpus: pretraining, heldout, parallel or nc")
    parser.add_argument("--languages", nargs="+", required=True)
    parser.add_argument("--lines", type=int, help="largest number of lines")
    parser.add_argument("--seed", type=int, default=0, help="seed of the generated world, and of samples")
    parser.add_argument(
        "--folder", help="folder of line-aligned files; without it and --examples, the text is generated"
    )
    parser.add_argument("--stems", nargs="+", help="files to take from the folder, one after another")
    parser.add_argument("--examples", help="Parquet file of a task's evaluation examples")
    parser.add_argument("--columns", nargs="+", help="columns of the examples, to be joined by a space")
    parser.add_argument("--aligned", action="store_true", help="the examples are translations, by their ids")
    parser.add_argument("--shares", type=json.loads, default={}, help="share of its lines that a language has, as JSON")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.data import corpora

    senses: dict[str, list] = {}
    if arguments.examples:
        texts = corpora.from_examples(
            arguments.examples,
            arguments.columns,
            arguments.languages,
            arguments.lines,
            arguments.seed,
            arguments.aligned,
        )
    elif arguments.folder:
        texts = corpora.read_local(
            arguments.folder, arguments.stems, arguments.languages, arguments.lines, arguments.seed
        )
    else:
        from mtbridge.data.world.corpora import parallel, senses_of

        what = arguments.name, arguments.lines, arguments.seed, tuple(arguments.languages)
        texts = parallel(*what)
        # Other corpora train nothing, so nobody asks for their links.
        senses = senses_of(*what) if arguments.name == "pretraining" else {}
    corpora.write(corpora.cut(texts, arguments.shares), arguments.output, corpora.cut(senses, arguments.shares))


if __name__ == "__main__":
    command(main)
