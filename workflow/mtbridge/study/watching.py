"""What a run of the workflow prints while it works: jobs done, time left, what is going on, and not every job.

On a terminal it is one line that is written over, in a log a line now and then, the rarer the longer the run. Snakemake
writes all it knows about every job into its own log under .snakemake/log; errors and warnings are printed too.

The time left comes from the jobs that this run has finished, the mean of a rule; of a rule that it has not met yet,
from `expected`. It is divided by how many jobs have been at work at a time. Where a rule whose jobs may be long is
neither met nor expected, no time left is told.
"""

import logging
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

# What a job is doing, in words; a rule that is not here is named, and its jobs are short. Wildcards are filled in.
DOING = {
    "pretrain": "pretraining {model}",
    "fetch_model": "fetching {model}",
    "finetune": "fine-tuning {model} on {task} seed {seed}",
    "predict": "predicting with {model} on {task} seed {seed}",
    "adapt": "adapting {model} to {task} seed {seed}",
    "generate": "writing with {model} on {task} seed {seed}",
    "states": "hidden states of {model}",
}
# Seconds of a short job of which nothing else is known. Most rules read and write one small file.
SECONDS = 1.0
OVERRUN = 0.25  # a job that takes longer than expected will take so much of what it has taken yet again
HIDDEN = ("job_info", "job_started", "job_finished", "progress", "shellcmd", "group_info")  # Snakemake's events
CHORES = ("Select jobs to execute", "Execute ", "Removing temporary output")  # messages without an event
BEAT = 1.0  # seconds between two looks at the clock
FIRST_LINE, GROWTH = 10.0, 0.05  # seconds between lines in a log, and how much of the time so far is added to them

Names = Mapping[str, str]


def describe(rule: str, wildcards: Mapping[str, Any], models: Names, tasks: Names) -> str:
    """What a job does, in words. models, tasks: labels of names, as tables have them."""
    words = {key: str(value) for key, value in wildcards.items()}
    words |= {
        key: labels.get(words[key], words[key]) for key, labels in (("model", models), ("task", tasks)) if key in words
    }
    try:
        return DOING[rule].format(**words)
    except KeyError:
        return rule.replace("_", " ")


def duration(seconds: float) -> str:
    """A time as one reads it: "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Clock:
    """How long the jobs that are left will take.

    waiting: rule -> its jobs that are not done. expected: rule -> seconds of one, where they are known beforehand.
    """

    def __init__(self, waiting: Mapping[str, int], expected: Mapping[str, float], now: float):
        self.waiting, self.expected, self.start = dict(waiting), expected, now
        self.measured: dict[str, list[float]] = {}
        self.busy = 0.0  # seconds of all finished jobs

    def finish(self, rule: str, seconds: float) -> None:
        """A job is done."""
        self.waiting[rule] = self.waiting.get(rule, 0) - 1
        self.measured.setdefault(rule, []).append(seconds)
        self.busy += seconds

    def left(self, now: float, running: Iterable[tuple[str, float]] = ()) -> float | None:
        """Seconds until all is done, None if nothing tells. running: rule and start of the jobs at work."""
        at_work = [(rule, now - start) for rule, start in running]
        together = max(1.0, (self.busy + sum(elapsed for _, elapsed in at_work)) / max(1e-9, now - self.start))
        each = {rule: self._each(rule) for rule, count in self.waiting.items() if count > 0}
        known = {rule: seconds for rule, seconds in each.items() if seconds is not None}
        if len(known) < len(each):
            return None
        total = sum(count * known[rule] for rule, count in self.waiting.items() if count > 0)
        for rule, elapsed in at_work:
            seconds = known.get(rule, 0.0)
            total -= seconds - OVERRUN * elapsed if elapsed > seconds else elapsed
        return max(0.0, total) / together

    def _each(self, rule: str) -> float | None:
        times = self.measured.get(rule)
        return sum(times) / len(times) if times else self.expected.get(rule, None if rule in DOING else SECONDS)


class Watch(logging.Handler):
    """Follows the events that Snakemake logs, and prints how far the run is.

    clock: of the jobs to do. models, tasks: see `describe`. stream: where it prints.
    """

    def __init__(self, clock: Clock, models: Names, tasks: Names, stream: TextIO | None = None, timer=time.monotonic):
        super().__init__()
        self.clock, self.models, self.tasks, self.timer = clock, models, tasks, timer
        self.stream: TextIO = stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.total = sum(clock.waiting.values())
        self.done = 0
        self.jobs: dict[int, tuple[str, str, float]] = {}  # id -> rule, words, start
        self.last = clock.start - FIRST_LINE
        self.guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Take an event of Snakemake's. A run never fails because of what is printed."""
        try:
            with self.guard:
                self._take(record)
        except Exception:
            pass

    def beat(self) -> None:
        """Print how far the run is if it is time, though nothing has happened."""
        with self.guard:
            if self.jobs and self.done < self.total:
                self._print_in_time(self.timer())

    def _take(self, record: logging.LogRecord) -> None:
        event, now = event_of(record), self.timer()
        if event == "job_info":
            words = describe(record.rule_name, record.wildcards or {}, self.models, self.tasks)  # type: ignore[attr-defined]
            self.jobs[record.jobid] = (record.rule_name, words, now)  # type: ignore[attr-defined]
        elif event == "job_finished" and (job := self.jobs.pop(record.job_id, None)):  # type: ignore[attr-defined]
            self.done += 1
            self.clock.finish(job[0], now - job[2])
        elif event == "job_error":
            self.jobs.pop(getattr(record, "jobid", -1), None)
            self.clear()
            return
        else:
            return
        self._print_in_time(now)

    def _print_in_time(self, now: float) -> None:
        pause = 0.2 if self.terminal else FIRST_LINE + GROWTH * (now - self.clock.start)
        if now - self.last >= pause or self.done == self.total:
            self.last = now
            self._print(now)

    def line(self, now: float) -> str:
        """What is printed: "12 of 66 jobs, 5 min left; now: fine-tuning XLM-R on NC seed 2, …"."""
        left = self.clock.left(now, [(rule, start) for rule, _, start in self.jobs.values()])
        text, so_far = f"{self.done} of {self.total} jobs", duration(now - self.clock.start)
        if self.done == self.total:
            text += f", {so_far}"
        else:
            text += f", {so_far} so far" if left is None else f", about {duration(left)} left"
        words = list(dict.fromkeys(words for _, words, _ in self.jobs.values()))
        more = f" and {len(words) - 2} more" if len(words) > 2 else ""
        return f"{text}; now: {', '.join(words[:2])}{more}" if words else text

    def _print(self, now: float) -> None:
        text = self.line(now)
        if not self.terminal:
            print(text, file=self.stream, flush=True)
            return
        import shutil

        width = shutil.get_terminal_size().columns - 1
        filled = round(20 * self.done / max(1, self.total))
        bar = f"[{'=' * filled}{' ' * (20 - filled)}] {text}"
        # Carriage return, the text, and the rest of the line erased.
        print(f"\r{bar[:width]}\x1b[K", end="" if self.done < self.total else "\n", file=self.stream, flush=True)

    def clear(self) -> None:
        """Empty the line on a terminal, because something else is printed."""
        if self.terminal:
            print("\r\x1b[K", end="", file=self.stream, flush=True)


class Quiet(logging.Filter):
    """Lets through what the watch does not tell: errors, warnings, and messages about the whole run."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is printed."""
        if record.levelno >= logging.WARNING:
            return True
        return event_of(record) not in HIDDEN and not str(record.msg).startswith(CHORES)


def event_of(record: logging.LogRecord) -> str:
    """The name of Snakemake's event, "" for a message that is none."""
    event = getattr(record, "event", None)
    return str(getattr(event, "value", event) or "")


def watch(
    logger: logging.Logger, jobs: Iterable[Any], expected: Mapping[str, float], models: Names, tasks: Names
) -> None:
    """Print a run's progress instead of its jobs; what goes to files stays as it is.

    Args:
        logger: Snakemake's.
        jobs: Snakemake's jobs that are to do.
        expected: see `Clock`.
        models, tasks: see `describe`.
    """
    waiting: dict[str, int] = {}
    for job in jobs:
        waiting[job.rule.name] = waiting.get(job.rule.name, 0) + 1
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.addFilter(Quiet())
    watching = Watch(Clock(waiting, expected, time.monotonic()), models, tasks)
    logger.addHandler(watching)
    threading.Thread(target=_beats, args=(watching,), daemon=True).start()


def _beats(watching: Watch) -> None:
    """Let a watch tell of long jobs, whose end is the next that Snakemake logs."""
    while watching.done < watching.total:
        time.sleep(BEAT)
        watching.beat()
