"""Benchmarks of this project and comparable libraries on the same work: `python -m benchmarks.run --help`."""
