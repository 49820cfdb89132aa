"""Every test process computes on one thread: several run side by side, and results are the same on any machine.

What was done to the workflow, what became of it and what it cost is recorded by the tests of faults/ and slurm/, and
told as one table at the end of the run.
"""

import contextlib
import os
from dataclasses import asdict, dataclass, field

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

# Files of tests, of the workflow and of faults
LONGEST = ("test_study.py", "test_smoke.py", "test_paper.py", "test_own_checkpoint.py", "test_kills.py")


@dataclass
class Fault:
    injected: int = 0
    survived: int = 0
    repeated: int | None = None  # training steps done more than once
    needed: int | None = None  # training steps of an undisturbed run
    wrong: int = 0  # results that differ from the undisturbed run's

    def add(self, other: "Fault"):
        """Count those of another process too; one alone has counted steps."""
        self.injected, self.survived = self.injected + other.injected, self.survived + other.survived
        self.wrong += other.wrong
        if other.repeated is not None:
            self.repeated, self.needed = other.repeated, other.needed


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


def pytest_collection_modifyitems(items):
    """What takes longest begins first, so that of several processes none is left with it alone."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `--dist loadfile`, all tests that need the tests' own Slurm run in one process, as those of a file do."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class OneSlurm(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "slurm" if nodeid.startswith("tests/slurm/") else super()._split_scope(nodeid)

    return OneSlurm(config, log)


def pytest_sessionfinish(session):
    """Where several processes run tests, each gives its part of the table to the one that tells it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = {name: asdict(row) for name, row in TABLE.rows.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    for name, row in getattr(node, "workeroutput", {}).get("faults", {}).items():
        TABLE[name].add(Fault(**row))


def pytest_terminal_summary(terminalreporter):
    if TABLE.rows:
        terminalreporter.section("faults")
        for line in TABLE.lines():
            terminalreporter.write_line(line)
