"""What is printed while a study runs."""

import io
import logging

from mtbridge.study.watching import Clock, Quiet, Watch, describe, duration


def record(event, level=logging.INFO, message="", **facts):
    made = logging.LogRecord("snakemake", level, "", 0, message, (), None)
    vars(made).update(event=event, **facts)
    return made


def started(number, rule="finetune", **wildcards):
    return record("job_info", jobid=number, rule_name=rule, wildcards=wildcards)


def finished(number):
    return record("job_finished", job_id=number)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def watched(waiting, stream):
    times = iter(range(0, 100_000, 20))
    clock = Clock(waiting, {}, now=0.0)
    return Watch(clock, {"xlmr": "XLM-R"}, {"nc": "NC"}, stream, timer=lambda: float(next(times)))


def test_a_job_is_told_in_the_words_of_the_tables():
    wildcards = {"recipe": "default", "model": "xlmr", "task": "nc", "seed": 2}
    assert describe("finetune", wildcards, {"xlmr": "XLM-R"}, {"nc": "NC"}) == "fine-tuning XLM-R on NC seed 2"
    assert describe("merge_similarity", {}, {}, {}) == "merge similarity"
    assert describe("finetune", {}, {}, {}) == "finetune"  # a job without the wildcards that the words want


def test_the_time_left_is_that_of_like_jobs_over_how_many_work_at_a_time():
    clock = Clock({"a": 5, "b": 2}, {"b": 50.0}, now=0.0)
    assert clock.left(0.0) == 5 * 1 + 2 * 50
    for _ in range(2):
        clock.finish("a", 10.0)  # two jobs of 10 s in 10 s: two at a time
    assert clock.left(10.0) == (3 * 10 + 2 * 50) / 2
    # A job that is at work needs only its rest; a third one at a time.
    assert clock.left(20.0, [("b", 10.0)]) == (3 * 10 + 2 * 50 - 10) / 1.5


def test_a_job_that_overruns_is_not_about_to_end():
    clock = Clock({"a": 2}, {"a": 10.0}, now=0.0)
    assert clock.left(5.0, [("a", 0.0)]) == 10 + 5
    assert clock.left(40.0, [("a", 0.0)]) == 10 + 10  # a quarter of what it has taken
    lefts = [clock.left(10.0 + shift, [("a", 0.0)]) for shift in (0.0, 1e-6, 100.0)]
    assert lefts[0] <= lefts[1] < lefts[2]


def test_no_time_is_told_where_nothing_tells_it():
    clock = Clock({"finetune": 2, "score": 2}, {}, now=0.0)
    assert clock.left(1.0) is None
    clock.finish("finetune", 30.0)
    assert clock.left(30.0) == 30 + 2
    assert Clock({"finetune": 2}, {"finetune": 9.0}, now=0.0).left(0.0) == 18
    clock.finish("finetune", 30.0)
    assert Clock({"finetune": 0, "score": 1}, {}, now=0.0).left(0.0) == 1


def test_a_long_job_is_told_of_while_it_runs():
    stream = io.StringIO()
    watch = watched({"finetune": 1}, stream)  # every look at the clock is 20 s later
    watch.handle(started(1, model="xlmr", task="nc", seed=1))
    for _ in range(3):
        watch.beat()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4 and lines[-1] == "0 of 1 jobs, 60 s so far; now: fine-tuning XLM-R on NC seed 1"
    watch.handle(finished(1))
    watch.beat()
    assert len(stream.getvalue().splitlines()) == 5


def test_a_log_gets_lines_that_become_rarer_and_the_last_one_always():
    stream = io.StringIO()
    watch = watched({"finetune": 200}, stream)
    for number in range(200):
        watch.handle(started(number, model="xlmr", task="nc", seed=number))
        watch.handle(finished(number))
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("0 of 200 jobs") and "now: fine-tuning XLM-R on NC seed 0" in lines[0]
    assert lines[-1].startswith("200 of 200 jobs, ") and "left" not in lines[-1]
    assert len(lines) < 100 and "\r" not in stream.getvalue()


def test_a_terminal_gets_one_line_that_is_written_over():
    stream = Terminal()
    watch = watched({"finetune": 2}, stream)
    for number in range(2):
        watch.handle(started(number, model="xlmr", task="nc", seed=1))
        watch.handle(finished(number))
    assert stream.getvalue().count("\n") == 1 and stream.getvalue().endswith("\n")
    assert "[==========          ] 1 of 2 jobs" in stream.getvalue()


def test_an_event_that_is_not_understood_never_stops_a_run():
    watch = watched({"finetune": 2}, io.StringIO())
    watch.handle(record("job_info"))  # without its facts
    watch.handle(finished(77))
    assert watch.done == 0


def test_errors_and_warnings_are_printed_and_jobs_are_not():
    quiet = Quiet()
    assert not quiet.filter(started(1)) and not quiet.filter(record(None, message="Select jobs to execute..."))
    assert quiet.filter(record("job_error", logging.ERROR)) and quiet.filter(record(None, logging.WARNING, "a"))
    assert quiet.filter(record(None, message="Elapsed time: 1"))


def test_durations_are_read_at_a_glance():
    assert [duration(seconds) for seconds in (40, 720, 12_600)] == ["40 s", "12 min", "3.5 h"]
