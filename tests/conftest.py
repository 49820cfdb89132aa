"""Every test process computes on one thread: several run side by side, and results are the same on any machine.

What was done to the workflow, what became of it and what it cost is recorded by the tests of faults/ and slurm/, and
told as one table at the end of the run.
"""

import contextlib
import os
from dataclasses import dataclass, field

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@dataclass
class Fault:
    injected: int = 0
    survived: int = 0
    repeated: int | None = None  # training steps done more than once
    needed: int | None = None  # training steps of an undisturbed run
    wrong: int = 0  # results that differ from the undisturbed run's


@dataclass
class Table:
    rows: dict[str, Fault] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Fault:
        return self.rows.setdefault(name, Fault())

    @contextlib.contextmanager
    def survive(self, name: str, times: int = 1):
        """A fault is injected before or inside this context, and survived if what stands inside holds."""
        self[name].injected += times
        yield self[name]
        self[name].survived += times

    def lines(self) -> list[str]:
        out = ["| fault | injected | survived | steps repeated | wrong results |", "|---|---|---|---|---|"]
        for name, row in self.rows.items():
            lost, wrong = ("", "") if row.repeated is None else (f"{row.repeated} of {row.needed}", row.wrong)
            out.append(f"| {name} | {row.injected} | {row.survived} | {lost} | {wrong} |")
        return out


TABLE = Table()


@pytest.fixture(scope="session")
def faults() -> Table:
    return TABLE


def pytest_terminal_summary(terminalreporter):
    if TABLE.rows:
        terminalreporter.section("faults")
        for line in TABLE.lines():
            terminalreporter.write_line(line)
