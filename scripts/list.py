"""Print what there is to choose from: studies, models, tasks, recipes, targets, and the layout of own files.

In   nothing. Out  a text on stdout; it runs and writes nothing.
"""

import argparse

from mtbridge.base.program import command


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()

    from mtbridge.presentation.listing import listing

    print(listing(), end="")


if __name__ == "__main__":
    command(main)
