"""The page's tables of time and cost."""

import re
from pathlib import Path

import numpy as np

from mtbridge.presentation.layout import GAP, Block, Cell, Layout
from mtbridge.study.outline import Outline

# The line that `base.program.command` ends a log with.
COST = re.compile(r"^time: [\d.]+ s, cpu ([\d.]+) s(?:, ([\d.]+) s of it before work)?(?:, warm)?$", re.MULTILINE)


def time(outline: Outline, pretraining: dict, runs: dict) -> Layout | None:
    """Wall time by model, with all its pretrainings, and phase, as they and runs report it; None if there are none."""
    if not runs and not pretraining:
        return None
    phases = list(dict.fromkeys(phase for run in runs.values() for phase in run.get("seconds", {})))
    rows, totals = [], np.zeros(len(phases) + 1)
    for model in outline.models:
        keys = outline.replicates(model.key)
        own = [run for key, run in runs.items() if key[1] in keys]
        reported = [seconds for key in keys if (seconds := pretraining.get(key, {}).get("seconds")) is not None]
        before = sum(map(_seconds, reported)) if reported else None
        seconds = [sum(run.get("seconds", {}).get(phase, 0) for run in own) for phase in phases]
        totals += np.array([_seconds(before), *seconds])
        speeds = [run["tokens_per_second"] for run in own if run.get("tokens_per_second")]
        memory = [run["peak_memory_mb"] for run in own if run.get("peak_memory_mb")]
        rows.append(
            [
                Cell(model.label),
                Cell(duration(before) if before is not None else GAP),
                Cell(str(len(own))),
                *(Cell(duration(value) if own else GAP) for value in seconds),
                Cell(f"{np.median(speeds):,.0f}" if speeds else GAP),
                Cell(f"{max(memory):,.0f}" if memory else GAP),
            ]
        )
    total = totals.sum()
    shares = [f"{100 * value / total:.0f} %" if total else GAP for value in totals]
    cells = [Cell(duration(value), (share,)) for value, share in zip(totals, shares, strict=True)]
    rows.append([Cell("all"), cells[0], Cell(str(len(runs))), *cells[1:], Cell(""), Cell("")])
    header = [
        "model",
        "pretraining",
        "runs",
        *(f"fine-tuning: {phase}" for phase in phases),
        "tokens/s",
        "peak memory, MB",
    ]
    notes = [
        "Wall time inside the jobs, summed over runs, as the runs report it; jobs side by side take less by the clock. "
        "Prediction, scoring, similarity and spectra report no time. Tokens/s: median over runs."
    ]
    return Layout("Time", "Where the time went.", [Block(header, rows, rules=frozenset([len(rows) - 2]))], notes)


def cost(results: Path) -> Layout | None:
    """CPU time by kind of job, from the last lines of the logs: in all, and before the job's work began."""
    totals: dict[str, np.ndarray] = {}  # rule -> number of jobs, CPU seconds, CPU seconds before work
    for path in sorted(results.glob("logs/**/*.log")):
        matches = COST.findall(path.read_text(encoding="utf-8", errors="replace"))
        if matches:
            rule = path.relative_to(results / "logs").parts[0].removesuffix(".log")
            cpu, before = (float(value or 0) for value in matches[-1])
            totals[rule] = totals.get(rule, np.zeros(3)) + np.array([1, cpu, before])
    if not totals:
        return None
    total = sum(totals.values(), start=np.zeros(3))
    rows = [
        [
            Cell(name),
            Cell(f"{jobs:.0f}"),
            Cell(duration(cpu), (f"{100 * cpu / max(total[1], 1e-9):.0f} %",)),
            Cell(duration(before), (f"{100 * before / max(cpu, 1e-9):.0f} % of it",)),
        ]
        for name, (jobs, cpu, before) in [*sorted(totals.items(), key=lambda item: -item[1][1]), ("all", total)]
    ]
    notes = ["CPU time as each job's log ends with it. Before work: imports and reading, up to the first computation."]
    header = ["job", "jobs", "CPU time", "before work"]
    return Layout("Cost", "What the jobs cost.", [Block(header, rows, rules=frozenset([len(rows) - 2]))], notes)


def _seconds(value) -> float:
    """Seconds as a record has them: one number, a mapping of phase to number, or nothing."""
    if isinstance(value, dict):
        return float(sum(value.values()))
    return float(value or 0)


def duration(seconds: float) -> str:
    """A time as text: 9.5 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
