"""`make bench`: this project and other libraries on the same work, in one run.

Absolute times do not carry over to another machine; ratios do better. A ratio compares contenders within one round, in
which each runs once, in a separate process; the order alternates from round to round. All contenders must find the same
values, or the run stops.

Out: <output>/<machine>.json and .md. Some works need up to 5 GB of disk and 6 GB of memory. On a machine with a GPU,
where neither Snakemake nor ckatorch is needed:

    python -m benchmarks.run --only finetuning-xnli-bf16 --device cuda --peak-flops 790e12 \\
        --set layers=12 hidden=768 vocabulary=250002 examples=6400
"""

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import architectures, finetuning, generation, planning, similarity, startup, weights
from benchmarks.work import Clock, Work

ROOT = Path(__file__).resolve().parents[1]
WORKS: dict[str, Work] = {
    "finetuning": finetuning.WORK,
    "finetuning-bf16": finetuning.BF16,
    "finetuning-xnli": finetuning.XNLI,
    "finetuning-xnli-bf16": finetuning.XNLI_BF16,
    "adapting": generation.ADAPTING,
    "writing": generation.WRITING,
    "writing-beams": generation.BEAMS,
    "startup": startup.WORK,
    "similarity": similarity.WORK,
    "reading": weights.READING,
    "tables": weights.TABLES,
    "extraction": weights.EXTRACTION,
    "planning": planning.WORK,
    **architectures.WORKS,
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def perform(key: str, name: str, folder: Path, sizes: dict) -> dict:
    """Run one contender (or `prepare`, `profile`) in this process; returns its figures."""
    work = WORKS[key]
    if name in ("prepare", "profile"):
        return getattr(work, name)(folder, sizes) or {}
    clock = Clock()
    figures = work.contenders[name](folder, sizes, clock)
    measured = {key: getattr(clock, key) for key in ("seconds", "cpu_seconds", "memory_mb", "gpu_mb")}
    return {**measured, **figures}


def perform_apart(key: str, name: str, folder: Path, sizes: dict) -> dict:
    """The same in a separate process, so that contenders share neither memory nor imported modules."""
    threads = {f"{library}_NUM_THREADS": str(sizes["threads"]) for library in ("OMP", "MKL", "OPENBLAS")}
    command = [sys.executable, "-m", "benchmarks.run", "--perform", json.dumps([key, name, str(folder), sizes])]
    result = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **threads}, capture_output=True, text=True, check=False
    )
    if result.returncode:
        sys.exit(f"error: {key}, {name} failed:\n{result.stderr[-2000:]}")
    return json.loads(result.stdout.splitlines()[-1])


def compare(key: str, sizes: dict, rounds: int, run, parent: str | None) -> dict:
    """Run all rounds of one work; `run` is `perform` or `perform_apart`."""
    work = WORKS[key]
    rounds *= work.often
    names = list(work.contenders)
    runs: dict[str, list[dict]] = {name: [] for name in names}
    record = {"title": work.title.format(**sizes), "sizes": sizes, "runs": runs}
    expected = None
    folder = Path(tempfile.mkdtemp(dir=parent, prefix="benchmark-"))
    try:
        if work.prepare:
            say(f"{key}: making the inputs")
            run(key, "prepare", folder, sizes)
            os.sync()  # otherwise the first contender would run while the disk still writes
        for number in range(rounds):
            for name in names if number % 2 == 0 else reversed(names):
                figures = run(key, name, folder, sizes)
                values = figures.pop("values")
                expected = expected or values
                if not alike(values, expected, work.tolerance):
                    sys.exit(f"error: {key}: '{name}' found other values than those before it; not the same work")
                runs[name].append(figures)
                say(f"{key}, round {number + 1} of {rounds}: {name}: {figures['seconds']:.3g} s")
        if work.profile:
            say(f"{key}: profile")
            record["profile"] = run(key, "profile", folder, sizes)
    finally:
        shutil.rmtree(folder)
    return record


def alike(values: list[float], expected: list[float], tolerance: float) -> bool:
    """Whether no value differs by more than `tolerance`, relative for values over 1; False if there is a NaN."""
    return len(values) == len(expected) and all(
        abs(a - b) <= tolerance * max(1, abs(b)) for a, b in zip(values, expected, strict=True)
    )


# ---- The report -----------------------------------------------------------------------------------------------------


def machine(device: str) -> dict:
    """What the times depend on: processor, cores, GPU, versions, commit."""
    from importlib.metadata import PackageNotFoundError, version

    facts = {"python": platform.python_version()}
    for package in ("torch", "transformers", "numpy", "ckatorch", "snakemake"):
        with contextlib.suppress(PackageNotFoundError):
            facts[package] = version(package)
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        facts["processor"] = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    facts.setdefault("processor", platform.processor() or platform.machine())
    facts["cores"] = os.cpu_count()
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            sys.exit("error: --device cuda: PyTorch finds no GPU here; use --device cpu")
        facts["gpu"] = torch.cuda.get_device_name()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {**facts, "commit": commit.stdout.strip() or None}


def slug(name: str) -> str:
    """The name of a file for a machine: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def spread(values: list[float]) -> str:
    """The median, and if there are several values the minimum and the maximum."""
    median = f"{statistics.median(values):.3g}"
    return median if len(values) == 1 else f"{median} ({min(values):.3g}–{max(values):.3g})"


def table(record: dict) -> str:
    """The results as Markdown."""
    where, options = record["machine"], record["options"]
    device = ", ".join(where[key] for key in ("gpu", "processor") if key in where)
    versions = ", ".join(f"{name} {where[name]}" for name in ("torch", "transformers", "ckatorch") if name in where)
    lines = [
        f"{device}, {where['cores']} cores, threads: {options['threads']}, {versions}. "
        f"Rounds: {options['rounds']}; medians, least–most in brackets; ratios are to ours in the same round.",
        "",
        "| | s | times ours | | peak memory |",
        "|---|---|---|---|---|",
    ]
    for work in record["works"].values():
        base = [run["seconds"] for run in next(iter(work["runs"].values()))]
        often = f", {len(base)} rounds" if len(base) != options["rounds"] else ""
        lines.append(f"| **{work['title']}{often}** | | | | |")
        for index, (name, runs) in enumerate(work["runs"].items()):
            seconds = [run["seconds"] for run in runs]
            ratio = spread([theirs / own for theirs, own in zip(seconds, base, strict=True)]) if index else ""
            rate = ""
            if "rate" in runs[0]:
                rate = f"{statistics.median(run['rate'] for run in runs):,.0f} {runs[0]['unit']}"
            if "utilisation" in runs[0]:
                rate += f", {statistics.median(run['utilisation'] for run in runs):.1%} of peak FLOP/s"
            memory = [
                f"{max(run[kind] for run in runs):,} MB{end}"
                for kind, end in (("memory_mb", ""), ("gpu_mb", " of the GPU"))
                if runs[0].get(kind) is not None
            ]
            lines.append(f"| {name} | {spread(seconds)} | {ratio} | {rate} | {', '.join(memory)} |")
    lines += [
        "",
        "Times are without imports, start-up's with them. Memory: beyond the imports and inputs, pages mapped from "
        "files not counted; in planning, of the whole process. Tokens are those of the text, without padding.",
    ]
    for work in record["works"].values():
        if "profile" in work:
            lines += ["", *profile(work["profile"])]
    return "\n".join(lines) + "\n"


def profile(result: dict) -> list[str]:
    """The lines of a work's profile, as Markdown."""
    lines = [f"{result['heading']}:", "", "| phase | share |", "|---|---|"]
    lines += [f"| {phase} | {share:.1%} |" for phase, share in result["phases"].items()]
    if "operators" in result:
        lines += ["", f"| operator | its own share | calls in {result['steps']} steps |", "|---|---|---|"]
        lines += [f"| `{name}` | {op['share']:.1%} | {op['calls']:,} |" for name, op in result["operators"].items()]
    return lines


def setting(text: str) -> tuple[str, object]:
    """A size and its value, from an argument of --set."""
    name, _, value = text.partition("=")
    if not any(name in work.sizes for work in WORKS.values()):
        known = sorted({size for work in WORKS.values() for size in work.sizes})
        raise argparse.ArgumentTypeError(f"'{name}' is no size; expected one of: {', '.join(known)}")
    with contextlib.suppress(ValueError):
        return name, json.loads(value)
    return name, value


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="default: 3; with --quick 1")
    parser.add_argument("--only", nargs="+", choices=WORKS, default=list(WORKS), help="these works")
    parser.add_argument("--quick", action="store_true", help="a trial in seconds, all in one process")
    parser.add_argument("--set", nargs="+", type=setting, default=[], metavar="SIZE=VALUE", help="as in layers=12")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="of fine-tuning")
    parser.add_argument("--peak-flops", type=float, help="the device's FLOP/s, to say what share of it is used")
    parser.add_argument("--folder", help="where temporary folders are made")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results", help="folder of the results")
    parser.add_argument("--machine", help="name of the results; default: processor or GPU, and number of cores")
    parser.add_argument("--perform", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.perform:
        key, name, folder, sizes = options.perform
        with contextlib.redirect_stdout(sys.stderr):
            figures = perform(key, name, Path(folder), sizes)
        print(json.dumps(figures))
        return
    os.environ["CUDA_VISIBLE_DEVICES"] = "" if options.device == "cpu" else os.environ.get("CUDA_VISIBLE_DEVICES", "0")
    rounds = options.rounds or (1 if options.quick else 3)
    shared = {key: getattr(options, key) for key in ("threads", "device", "peak_flops")}
    record = {"machine": machine(options.device), "options": {"rounds": rounds, **shared}, "works": {}}
    start = time.perf_counter()
    for key in options.only:
        work = WORKS[key]
        chosen_sizes = {name: value for name, value in options.set if name in work.sizes}
        sizes = {**work.sizes, **(work.quick if options.quick else {}), **chosen_sizes, **shared}
        if lacking := work.lacking(sizes):
            say(f"{key}: left out: {lacking}")
            continue
        record["works"][key] = compare(key, sizes, rounds, perform if options.quick else perform_apart, options.folder)
    record["seconds"] = round(time.perf_counter() - start, 1)
    text = table(record)
    where = record["machine"]
    name = options.machine or f"{where.get('gpu', where['processor'])} {where['cores']} cores"
    name = slug(name)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (options.output / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
    say(f"{options.output / name}.md and .json, after {record['seconds']} s")


if __name__ == "__main__":
    main()
