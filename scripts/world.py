"""Write the generated world as a user's own files: a release laid out as XGLUE's, and line-aligned text.

In: nothing but the arguments. Out: `<output>/xglue` and `<output>/text` (train.en, train.de, … dev.*, test.*), which
the study `local` takes as `xglue` and `corpus`.
"""

import argparse
from pathlib import Path

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", nargs="+", default=["de", "en", "es", "fr", "ru"])
    for split, size in (("train", 1000), ("dev", 200), ("test", 200)):
        parser.add_argument(f"--{split}", type=int, default=size, help=f"{split} examples of a task and language")
    parser.add_argument("--lines", type=int, default=10000, help="lines of training text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", required=True, type=Path, help="folder to write")
    arguments = parser.parse_args()

    from mtbridge.base.files import atomic_write
    from mtbridge.data.world.corpora import parallel
    from mtbridge.data.world.release import write_xglue

    sizes = {split: vars(arguments)[split] for split in ("train", "dev", "test")}
    languages = tuple(arguments.languages)
    with atomic_write(arguments.output) as folder:
        write_xglue(folder / "xglue", sizes, arguments.seed, languages)
        (folder / "text").mkdir()
        corpora = {"train": ("pretraining", arguments.lines), "dev": ("heldout", 500), "test": ("parallel", 500)}
        for stem, (corpus, lines) in corpora.items():
            for language, text in parallel(corpus, lines, arguments.seed, languages).items():
                (folder / "text" / f"{stem}.{language}").write_text("".join(line + "\n" for line in text), "utf-8")


if __name__ == "__main__":
    command(main)
