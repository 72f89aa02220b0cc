"""Time everything that the chapter on cost shows, and write the numbers that it reads.

    python -m book.make.bench

Writes lib/results/timings/cost.csv (every timing) and cost_targets.csv (the ratios that have a goal), and prints the
second as a table. About ten minutes on two cores. Let the machine rest meanwhile: two processes that compute with
torch at once slow each other down several times.
"""

import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import lib
from lib.classifiers import CLASSIFIERS
from lib.storage import whole_file

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "lib" / "results" / "timings"
COLUMNS = ["work", "path", "classifier", "corpus", "method", "words", "documents", "all_words",
           "seconds", "low", "high", "rounds", "bytes"]


@dataclass(frozen=True)
class Target:
    """A goal: the library takes at most ``limit`` times as long as ``against``, or is ``limit`` times as fast."""

    work: str
    against: str
    classifiers: tuple[str, ...]
    limit: float
    faster: bool


ALL = tuple(CLASSIFIERS)
TARGETS = [
    Target("SignedGI", "bare", ALL, 1.15, faster=False),
    Target("SignedGI", "captum", ALL, 1.0, faster=True),
    *(Target("LOO", against, (name,), limit, faster=True) for against in ("general", "captum")
      for name, limit in (("fasttext", 10), ("textcnn", 15), ("bilstm", 1.4))),
    Target("full AOPC", "general", ("fasttext", "textcnn"), 10, faster=True),
    Target("full AOPC", "bare", ("bilstm",), 1.25, faster=False),
]
# For equally many words in short and in long documents: distance from equal times, slowest over fastest.
OFF_LINE, SPREAD = 0.2, 1.2


def main() -> None:
    if not lib.data.available("ag_news"):
        sys.exit("The benchmarks need AG's News, which is not on this machine: "
                 "'make data' downloads it, or set LIB_DATA_DIR.")
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        command = [sys.executable, "-m", "pytest", "book/make/benchmarks.py", "-q", "-o", "python_functions=bench_*",
                   "--benchmark-json", str(found), "--benchmark-columns=median,iqr,rounds", "--benchmark-disable-gc",
                   *sys.argv[1:]]
        subprocess.run(command, cwd=ROOT, env=os.environ | {"TQDM_DISABLE": "1"}, check=True)
        timings = table_of(json.loads(found.read_text(encoding="utf-8")))
    ratios = targets_of(timings)
    write(timings, "cost.csv")
    write(ratios, "cost_targets.csv")
    print(ratios.to_string(index=False))


def table_of(found: dict) -> pd.DataFrame:
    """One row for each benchmark: what it was of, and median and quartiles of its time in seconds."""
    rows = []
    for benchmark in found["benchmarks"]:
        stats = benchmark["stats"]
        times = {"seconds": stats["median"], "low": stats["q1"], "high": stats["q3"], "rounds": stats["rounds"]}
        rows.append(benchmark["extra_info"] | times)
    timings = pd.DataFrame(rows, columns=COLUMNS)
    for column in ("seconds", "low", "high"):
        timings[column] = timings[column].map(lambda value: float(f"{value:.4g}"))
    return timings


def targets_of(timings: pd.DataFrame) -> pd.DataFrame:
    """The ratios that have a goal, as they were measured in this run."""
    seconds = timings.set_index(["work", "path", "classifier"])["seconds"]
    rows = []
    for target in TARGETS:
        for name in target.classifiers:
            ours, theirs = (float(seconds[target.work, path, name]) for path in ("library", target.against))
            measured = theirs / ours if target.faster else ours / theirs
            met = measured >= target.limit if target.faster else measured <= target.limit
            goal = "at least" if target.faster else "at most"
            rows.append((target.work, name, target.against, goal, target.limit, measured, met))
    growth = timings[timings.work == "growth of LOO"].groupby("classifier").seconds
    for name, seconds in growth:
        off = (seconds / np.exp(np.log(seconds).mean()) - 1).abs().max()
        spread = seconds.max() / seconds.min()
        rows.append(("growth of LOO", name, "a straight line", "within", OFF_LINE, off, off <= OFF_LINE))
        rows.append(("growth of LOO", name, "its fastest length", "at most", SPREAD, spread, spread <= SPREAD))
    ratios = pd.DataFrame(rows, columns=["work", "classifier", "against", "goal", "limit", "measured", "met"])
    ratios["measured"] = ratios["measured"].map(lambda value: float(f"{value:.3g}"))
    return ratios


def write(values: pd.DataFrame, name: str) -> None:
    """A CSV file, whole or not at all, with where and when it was measured in every row."""
    values = values.assign(machine=machine(), torch=torch.__version__.split("+")[0], lib_version=lib.__version__,
                           date=datetime.date.today().isoformat())
    with whole_file(FOLDER / name) as temporary:
        values.to_csv(temporary, index=False)


def machine() -> str:
    """Processor and number of cores, for the reader who compares."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux
    return f"{name}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
