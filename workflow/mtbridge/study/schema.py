"""The JSON schema of config.yaml, for editors: `python -m mtbridge.study.schema > workflow/schema.json`."""

import json
import sys

from mtbridge.study.settings import Settings


def schema() -> str:
    """The JSON schema of the settings, as text."""
    properties = Settings.model_json_schema()
    # A user's file sets what differs from the preset, so nothing is required in it.
    properties.pop("required", None)
    return json.dumps(properties, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
