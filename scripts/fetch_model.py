"""Fetch a published checkpoint, one revision of a repository on the Hugging Face Hub, and check it.

In   --repo owner/name or a local directory, --revision, --lock (the commits and checksums to check against)
Out  --output: a folder with config, weights, tokenizer and source.json. The first fetch adds an entry to --lock.
"""

import argparse

from mtbridge.base.program import command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", required=True, help="owner/name, or a local directory")
    parser.add_argument("--revision", default="main", help="branch, tag or commit")
    parser.add_argument("--family", help="model_type that config.json must have")
    parser.add_argument("--lock", required=True, help="JSON file beside the preset")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    from mtbridge.models.hub import fetch

    fetch(arguments.repo, arguments.revision, arguments.lock, arguments.output, arguments.family)


if __name__ == "__main__":
    command(main)
