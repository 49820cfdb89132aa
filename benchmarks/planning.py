"""A dry run of a study without any files: the time that Snakemake needs before the first job."""

import re
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.work import Work


def ours(folder, sizes, clock):
    command = [sys.executable, "-m", "snakemake", "-n", "-q", "rules", "--nolock"]
    command += ["--config", f"study={sizes['study']}", "name=never-made"]
    with clock:
        result = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"error: {' '.join(command)} failed:\n{result.stderr[-2000:]}")
    jobs = int(re.search(r"^total +(\d+)$", result.stdout, re.MULTILINE)[1])
    # KB on Linux, bytes on macOS
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"values": [jobs], "rate": jobs / clock.seconds, "unit": "jobs/s", "memory_mb": round(peak / 1e6)}


WORK = Work("dry run of the study `{study}`", {"ours": ours}, {"study": "paper"}, {"study": "smoke"})
