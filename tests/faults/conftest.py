"""What was done to the workflow, what became of it, and what it cost: a table at the end of the run."""

from dataclasses import dataclass, field

import pytest


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

    def lines(self) -> list[str]:
        out = ["| fault | injected | survived | steps repeated | wrong results |", "|---|---|---|---|---|"]
        for name, row in self.rows.items():
            lost = "" if row.repeated is None else f"{row.repeated} of {row.needed}"
            out.append(f"| {name} | {row.injected} | {row.survived} | {lost} | {row.wrong} |")
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
