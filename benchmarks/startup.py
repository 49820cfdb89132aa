"""Everything in a fine-tuning except its updates: the time of a program that has almost nothing to train.

Seconds are those of the entire process, minus those of the updates. Every job of a study needs them; the profile shows
where ours go.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import finetuning
from benchmarks.work import Work
from mtbridge.specs.options import to_options

ROOT = Path(__file__).resolve().parents[1]
# Runs in a separate process: CPU seconds of each part, in the order of a fine-tuning.
PARTS = """
import json, sys, time
from pathlib import Path
laps, before = {}, 0.0
def lap(name):
    global before
    now = time.process_time()
    laps[name], before = now - before, now
lap("Python itself")
import gc; gc.disable()
import numpy, pyarrow.parquet
lap("numpy, pyarrow")
import torch
lap("torch")
from transformers.models.xlm_roberta import modeling_xlm_roberta
lap("transformers: the model's class and what it imports")
from benchmarks import finetuning
finetuning.finetune(Path(sys.argv[1]), json.loads(sys.argv[2]))
run = json.load(open(sys.argv[1] + "/run.json"))
lap("data, encoder, optimizer, writing")
laps["data, encoder, optimizer, writing"] -= run["seconds"]["train"]
print(json.dumps(laps))
"""


def ours(folder, sizes, clock, environment=None):
    command = [
        *(sys.executable, ROOT / "scripts/finetune.py", *to_options(finetuning.task()), "--model", "xlmr", "--seed", 1),
        *("--encoder", folder / "encoder", "--tokens", folder / "tokens", "--examples", folder / "train.parquet"),
        *("--weights", folder / "weights.safetensors", "--record", folder / "run.json", "--gpus", 0),
        *to_options(finetuning.recipe(sizes)),
    ]  # fmt: skip
    start = time.perf_counter()
    with clock:
        subprocess.run([*map(str, command)], check=True, capture_output=True, env=environment)
    seconds = time.perf_counter() - start
    train = json.loads((folder / "run.json").read_text())["seconds"]["train"]
    # No memory: the clock measured this process, which only waited.
    return {"values": [], "seconds": seconds - train, "memory_mb": None}


def warm(folder, sizes, clock):
    """Ours as a fork of the process that a workflow on its own machine starts (mtbridge.base.warm_start)."""
    place = Path(tempfile.mkdtemp()) / "socket"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [
        sys.executable,
        "-P",
        "-m",
        "mtbridge.base.warm_start",
        place,
        str(os.getpid()),
        "transformers.models.xlm_roberta.modeling_xlm_roberta",
    ]
    with subprocess.Popen(command, env=environment) as server:
        while not Path(f"{place}.python").exists():
            if server.poll() is not None:
                sys.exit("error: no warm process; what it said stands above")
            time.sleep(0.1)  # its imports take some seconds
        try:
            return ours(folder, sizes, clock, environment | {"MTBRIDGE_WARM": str(place)})
        finally:
            server.terminate()
            shutil.rmtree(place.parent, ignore_errors=True)


def trainer(folder, sizes, clock):
    perform = json.dumps(["finetuning", "Trainer, grouped by length", str(folder), sizes])
    command = [sys.executable, "-m", "benchmarks.run", "--perform", perform]
    start = time.perf_counter()
    with clock:
        result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    train = json.loads(result.stdout.splitlines()[-1])["seconds"]
    return {"values": [], "seconds": seconds - train, "memory_mb": None}


def profile(folder, sizes) -> dict:
    command = [sys.executable, "-c", PARTS, str(folder), json.dumps(sizes)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    laps = json.loads(result.stdout.splitlines()[-1])
    total = sum(laps.values())
    return {
        "heading": f"Where the start and end of our fine-tuning go ({total:.1f} s of CPU)",
        "phases": {name: seconds / total for name, seconds in laps.items()},
    }


WORK = Work(
    "all of a fine-tuning but its updates, {layers} layers of {hidden}, {examples} texts",
    {"ours": ours, "ours, on a workflow's own machine": warm, "Trainer": trainer},
    {**finetuning.WORK.sizes, **finetuning.WORK.quick},
    {},
    finetuning.prepare,
    profile=profile,
    lacking=lambda sizes: "it is a CPU's" if sizes["device"] != "cpu" else None,
)
