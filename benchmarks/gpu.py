"""Fine-tuning on one GPU: this project and Hugging Face's Trainer, on models of the published sizes, in one process.

    python -m benchmarks.gpu                       # on a GPU with 80 GB, in about five minutes
    python -m benchmarks.gpu --device cpu --quick  # a trial of its code

Weights are random, texts are those of `finetuning`: words of Zipf's frequencies, in lengths like those of XNLI's pairs,
log-uniform between 10 and 200 tokens, or like those of news. All contenders compute in bf16 with fp32 weights, on the
same examples in batches of 32. Each stands on the GPU with its model and optimizer, has trained an epoch before the
clock runs, and then trains an epoch in each round, ours always with the same batches; the order alternates from round
to round. Seconds are those of the updates; what graphs take to be recorded is told apart. Memory is what PyTorch
reserved for a contender at most.

The Trainer pads to 256 tokens, or to the longest of the batch, or to the longest of batches of similar length.

Out: <output>/<GPU>.json and .md.
"""

import argparse
import gc
import itertools
import json
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import finetuning
from benchmarks.run import ROOT, machine, say, slug, spread

SIZES = {  # the published encoders: family, layers, width, feed-forward, vocabulary
    "mBART large, encoder": ("mbart", 12, 1024, 4096, 250_054),
    "XLM-R base": ("xlm-roberta", 12, 768, 3072, 250_002),
}
COMMON = {"max_length": 256, "batch_size": 32, "epochs": 1, "learning_rate": 1e-5, "warmup": 0.1, "precision": "bf16"}
LENGTHS = ("XNLI-like", "10–200 tokens", "news")
BATCHES = 32  # of an epoch


@dataclass
class Contender:
    """One way to train: what makes an epoch and returns its seconds, and what it has cost so far."""

    epoch: Any  # () -> seconds
    training: Any = None  # of this project
    memory_mb: int = 0
    recording: float | None = None  # seconds that graphs took to be recorded
    graphs: int | None = None


# ---- The contenders -------------------------------------------------------------------------------------------------


def ours(folder: Path, sizes: dict, graphs: bool = True, trimmed: bool = True) -> Contender:
    """This project's training."""
    import torch

    from mtbridge.training import finetuning as training_module
    from mtbridge.training.processes import Processes
    from mtbridge.training.run_data import RunFiles

    os.environ["MTBRIDGE_CUDA_GRAPHS"] = "1" if graphs else "0"
    files = RunFiles(folder / "encoder", folder / "tokens", folder / "train.parquet", folder, folder)
    recipe = replace(finetuning.recipe(sizes), epochs=1000)
    device = torch.device(sizes["device"])
    own = training_module.Trimmed
    if not trimmed:
        whole = np.arange(sizes["vocabulary"])
        training_module.Trimmed = lambda encoder, _tokens: own(encoder, whole)
    try:
        training = training_module.Training(files, finetuning.task(), recipe, 1, Processes(), device)
    finally:
        training_module.Trimmed = own
    state = training_module.resume.State(None)
    recorded = {"seconds": 0.0}
    if training.graphed_step:
        make = training.graphed_step._made

        def timed(*arguments):
            torch.cuda.synchronize()
            start = time.perf_counter()
            made = make(*arguments)
            torch.cuda.synchronize()
            recorded["seconds"] += time.perf_counter() - start
            return made

        training.graphed_step._made = timed

    def epoch() -> float:
        training.steps = 0
        before, recording = training.seconds["train"], recorded["seconds"]
        training._train_epoch(1, state, lambda *_: None)
        contender.recording = recorded["seconds"]
        contender.graphs = len(training.graphed_step.graphs or ()) if training.graphed_step else None
        return training.seconds["train"] - before - (recorded["seconds"] - recording)

    contender = Contender(epoch, training)
    return contender


def trainer(folder: Path, sizes: dict, padding: str) -> Contender:
    """Hugging Face's Trainer on the same encoder, with its own attention."""
    instance, seconds = finetuning.hugging_face(folder, sizes, padding)

    def epoch() -> float:
        before = seconds.total
        instance.train()
        return seconds.total - before

    return Contender(epoch)


def contenders(folder: Path, sizes: dict, peers: bool) -> dict[str, Any]:
    """Name -> what sets a contender up."""
    found = {
        "ours": lambda: ours(folder, sizes),
        "ours, each kernel launched by itself": lambda: ours(folder, sizes, graphs=False),
        "ours, the whole vocabulary trained": lambda: ours(folder, sizes, trimmed=False),
    }
    if not peers:
        return {"ours": found["ours"]}
    padded = {"to 256": "max_length", "to the longest of a batch": "batch", "grouped by length": "grouped"}
    for words, padding in padded.items():
        found[f"Trainer, padded {words}" if "to" in words else f"Trainer, {words}"] = lambda padding=padding: trainer(
            folder, sizes, padding
        )
    return found


# ---- Measuring ------------------------------------------------------------------------------------------------------


def settle(device: str) -> None:
    gc.collect()
    if device == "cuda":
        import torch

        torch.cuda.synchronize()
        torch.cuda.empty_cache()


def reserved(device: str, peak: bool = False) -> int:
    """Bytes that PyTorch holds of the GPU, now or at most since the last reset."""
    if device != "cuda":
        return 0
    import torch

    return torch.cuda.max_memory_reserved() if peak else torch.cuda.memory_reserved()


def compare(name: str, folder: Path, sizes: dict, rounds: int, peers: bool) -> dict:
    """Set up all contenders, then train them in turns."""
    import torch

    lengths = [len(row) for row in finetuning.examples(folder)[0]]
    tokens, steps = sum(lengths), len(lengths) // sizes["batch_size"]
    flop = finetuning.operations(folder, sizes)
    record: dict = {"tokens_per_step": tokens / steps, "flop_per_step": flop / steps, "steps": steps, "runs": {}}
    made: dict[str, Contender] = {}
    for words, make in contenders(folder, sizes, peers).items():
        settle(sizes["device"])
        before = reserved(sizes["device"])
        if sizes["device"] == "cuda":
            torch.cuda.reset_peak_memory_stats()
        try:
            made[words] = make()
            first = made[words].epoch()
            if made[words].graphs is not None:
                made[words].epoch()  # a graph is recorded when its size occurs for the second time
        except Exception as error:
            say(f"{name}: {words}: {type(error).__name__}: {error}")
            made.pop(words, None)
            continue
        made[words].memory_mb = round((reserved(sizes["device"], peak=True) - before) / 1e6)
        say(f"{name}: {words}: first epoch {first:.2f} s, {made[words].memory_mb:,} MB")
        record["runs"][words] = {"memory_mb": made[words].memory_mb, "seconds": []}
    for number in range(rounds):
        for words in list(made) if number % 2 == 0 else reversed(list(made)):
            seconds = made[words].epoch()
            record["runs"][words]["seconds"].append(seconds)
            for key in ("recording", "graphs"):
                if getattr(made[words], key) is not None:
                    record["runs"][words][key] = getattr(made[words], key)
        say(f"{name}: round {number + 1} of {rounds}")
    if sizes["device"] == "cuda" and "ours" in made:
        record["kernels"] = kernels(made["ours"], statistics.median(record["runs"]["ours"]["seconds"]))
    record["host"] = host_time(made["ours"])
    made.clear()
    settle(sizes["device"])
    return record


def kernels(contender: Contender, seconds: float) -> dict:
    """The share of an epoch in which kernels run, and which take longest, in ms of the epoch.

    seconds: of an epoch without the profiler.
    """
    import torch
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as recorded:
        contender.epoch()
        torch.cuda.synchronize()
    times: dict[str, list[float]] = {}
    for event in recorded.events():
        if event.device_type.name == "CUDA":
            times.setdefault(event.name, []).append(event.device_time_total / 1e3)
    total = sum(sum(values) for values in times.values())
    longest = sorted(times.items(), key=lambda item: -sum(item[1]))[:40]
    return {
        "share": total / 1e3 / seconds,
        "longest": [[name[:140], round(sum(values), 2), len(values)] for name, values in longest],
        "kernels": sum(map(len, times.values())),
    }


def host_time(contender: Contender) -> float:
    """Seconds of Python's own thread in an epoch: where these are fewer than all, the GPU decides."""
    start = time.thread_time()
    contender.epoch()
    return time.thread_time() - start


def inference(folder: Path, sizes: dict, training: Any) -> dict:
    """Tokens a second in predictions, and in hidden states of all layers."""
    import torch

    from mtbridge.models.forward import forward
    from mtbridge.models.pooling import pool
    from mtbridge.training.batches import EVALUATION_TOKENS, sorted_batches
    from mtbridge.training.prediction import predict

    tokens, found = int(training.lengths.sum()), {}

    def wait():
        if sizes["device"] == "cuda":
            torch.cuda.synchronize()

    def predictions():
        with training.vocabulary.untrimmed():
            predict(training.model, training.inputs, training.task, sizes["precision"])

    def states():
        encoder = training.model.encoder.eval()
        with torch.inference_mode(), training.vocabulary.untrimmed():
            for rows in sorted_batches(training.inputs.lengths, EVALUATION_TOKENS[training.device.type]):
                batch = training.inputs.batch(rows).to(training.device)
                torch.stack([pool(layer, batch, "mean") for layer in forward(encoder, batch, hidden_states=True)]).cpu()

    for name, work in (("predictions, bf16", predictions), ("hidden states, fp32", states)):
        work()
        seconds = []
        for _ in range(3):
            wait()
            start = time.perf_counter()
            work()
            wait()
            seconds.append(time.perf_counter() - start)
        found[name] = tokens / statistics.median(seconds)
    return found


def ceilings(device: str) -> dict:
    """What the card does at best: FLOP/s of a large bf16 product, bytes a second of a large copy (read and written)."""
    import torch

    if device != "cuda":
        return {"flops": 5e10, "bytes": 1e10}

    def seconds(work, repeats):
        work()
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(repeats):
            work()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) / 1e3 / repeats

    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    source = torch.randn(1 << 30, device="cuda")
    target = torch.empty_like(source)
    return {
        "flops": 2 * 8192**3 / seconds(lambda: a @ b, 20),
        "bytes": 2 * source.nbytes / seconds(lambda: target.copy_(source), 10),
    }


# ---- The report -----------------------------------------------------------------------------------------------------


def table(record: dict) -> str:
    """The results as Markdown."""
    where, peak = record["machine"], record["ceilings"]
    lines = [
        f"{where.get('gpu', where['processor'])}; torch {where['torch']}, transformers {where['transformers']}. "
        f"A large bf16 product runs at {peak['flops'] / 1e12:.0f} TFLOP/s, a large copy at {peak['bytes'] / 1e12:.1f} "
        f"TB/s. Batches of 32, at most 256 tokens, bf16 with fp32 weights; {record['rounds']} rounds, medians, "
        "least–most in brackets; ratios are to ours in the same round.",
        "",
        "| | ms a step | times ours | tokens/s | share of peak FLOP/s | memory |",
        "|---|---|---|---|---|---|",
    ]
    for title, work in record["works"].items():
        lines.append(f"| **{title}, {work['tokens_per_step']:,.0f} tokens a step** | | | | | |")
        base = work["runs"]["ours"]["seconds"]
        for number, (name, run) in enumerate(work["runs"].items()):
            seconds = statistics.median(run["seconds"])
            ratio = spread([theirs / own for theirs, own in zip(run["seconds"], base, strict=True)]) if number else ""
            rate = work["tokens_per_step"] * work["steps"] / seconds
            share = work["flop_per_step"] * work["steps"] / seconds / peak["flops"]
            step = spread([1000 * one / work["steps"] for one in run["seconds"]])
            lines.append(f"| {name} | {step} | {ratio} | {rate:,.0f} | {share:.1%} | {run['memory_mb']:,} MB |")
    lines.append("")
    for title, work in record["works"].items():
        told = [f"{title}: {work['runs']['ours'].get('graphs')} graphs, recorded in"]
        told.append(f"{work['runs']['ours'].get('recording') or 0:.1f} s;")
        if "kernels" in work:
            told.append(f"kernels run {work['kernels']['share']:.0%} of the time;")
        host = 1000 * work["host"] / work["steps"]
        told.append(f"Python takes {host:.1f} ms a step.")
        lines.append("- " + " ".join(told))
    for title, rates in record["inference"].items():
        lines.append(f"- {title}: " + "; ".join(f"{name}: {rate:,.0f} tokens/s" for name, rate in rates.items()) + ".")
    lines += ["", "Tokens are those of the text, without padding; FLOPs are counted for these alone."]
    return "\n".join(lines) + "\n"


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--minutes", type=float, default=8, help="after this time, only ours")
    parser.add_argument("--only", nargs="+", default=list(SIZES), choices=SIZES, help="these models")
    parser.add_argument("--lengths", nargs="+", default=list(LENGTHS), choices=LENGTHS)
    parser.add_argument("--kernels", type=int, default=0, help="print so many kernels of each work")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args(arguments)
    record: dict = {"machine": machine(options.device), "rounds": options.rounds}
    record |= {"ceilings": ceilings(options.device), "works": {}, "inference": {}}
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as parent:
        for lengths, model in itertools.product(options.lengths, options.only):
            family, layers, hidden, feedforward, vocabulary = SIZES[model]
            sizes = {**COMMON, "family": family, "layers": layers, "hidden": hidden, "feedforward": feedforward}
            sizes |= {"vocabulary": vocabulary, "device": options.device, "threads": 1, "peak_flops": None}
            sizes |= {"examples": BATCHES * COMMON["batch_size"], "lengths": lengths}
            if options.quick:
                sizes |= {"layers": 2, "hidden": 64, "feedforward": 128, "vocabulary": 300}
                sizes |= {"batch_size": 4, "examples": 12}
            made, folder = Path(parent) / family, Path(parent) / f"{family} {lengths}"
            if not made.exists():
                made.mkdir()
                finetuning.make_encoder(made, sizes)
            folder.mkdir()
            for part in ("tokenizer", "checkpoint", "encoder"):
                (folder / part).symlink_to(made / part)
            finetuning.make_texts(folder, sizes)
            title = f"{model}, {lengths}"
            peers = lengths != "news" and time.perf_counter() - start < 60 * options.minutes
            record["works"][title] = compare(title, folder, sizes, options.rounds, peers)
            if lengths == "10–200 tokens":
                own = ours(folder, sizes)
                record["inference"][title] = inference(folder, sizes, own.training)
                del own
                settle(options.device)
            write(record, options.output)
    print(table(record))
    for title, work in record["works"].items():
        for name, milliseconds, count in work.get("kernels", {}).get("longest", [])[: options.kernels]:
            print(f"{title}: {milliseconds / work['steps']:.3f} ms a step, {count / work['steps']:.0f} calls: {name}")


def write(record: dict, output: Path) -> None:
    """After every work, so that what was measured is kept if the rest fails."""
    where = record["machine"]
    name = slug(where.get("gpu", where["processor"]))
    output.mkdir(parents=True, exist_ok=True)
    (output / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (output / f"{name}.md").write_text(table(record), encoding="utf-8")


if __name__ == "__main__":
    main()
