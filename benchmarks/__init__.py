"""Benchmarks of this project and comparable libraries on the same work: `python -m benchmarks.run --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
