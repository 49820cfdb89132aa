"""Makes the library importable for a program in this folder, wherever it is started from.

To be imported first: where a warm process waits for programs, this one goes on there (see `_warm`).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

import _warm
from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import command, ready

__all__ = ["MtbridgeError", "command", "ready"]

_warm.elsewhere()
