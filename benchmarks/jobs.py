"""Many runs on one machine: beside each other against one after another.

``FASHIONTUI_DATA_DIR=... python -m benchmarks.jobs`` trains the report's seven models with the
recipe ``fast`` and three seeds, once with ``--jobs N`` (as many as there are cores) and once
without, each as a command of its own with an empty store, and prints wall times from start to exit,
imports and measuring included. ``--epochs 1`` and ``--seeds 1`` shorten it: every share of fixed
costs is then larger, so its ratio is lower than the whole one's, and it says so.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from fashiontui.domain.report import REPORT_MODELS
from fashiontui.engine.devices import usable_cores


def seconds_of(options: list[str], jobs: int, folder: Path) -> tuple[float, int]:
    """Wall seconds of a batch, and how many of its runs finished."""
    command = [sys.executable, "-m", "fashiontui", "--batch", "--json", "--jobs", str(jobs)]
    command += ["--store", str(folder / f"{jobs}.sqlite3"), *options]
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    took = time.perf_counter() - began
    runs = json.loads(done.stdout)["runs"]
    return took, sum(run["status"] == "finished" for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=usable_cores())
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--model", action="append", choices=[*REPORT_MODELS], default=[])
    parser.add_argument("--data", default="fashion-mnist")
    asked = parser.parse_args()
    options = ["--seeds", str(asked.seeds), "--data", asked.data]
    options += [part for name in asked.model for part in ("--model", name)]
    if asked.epochs:
        options += ["--epochs", str(asked.epochs)]
    runs = len(asked.model or REPORT_MODELS) * asked.seeds
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}")
    print(f"{runs} runs, {'recipe fast' if not asked.epochs else f'{asked.epochs} epochs each'}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["XDG_CACHE_HOME"] = temporary  # both measure their speed anew
        beside, finished = seconds_of(options, asked.jobs, folder)
        print(
            f"--jobs {asked.jobs}             {beside:7.1f} s  {finished} of {runs} finished",
            flush=True,
        )
        after, finished = seconds_of(options, 1, folder)
    print(f"one after another    {after:7.1f} s  {finished} of {runs} finished")
    print(f"ratio                {after / beside:7.2f}")
    if asked.epochs or asked.seeds < 3 or asked.model:
        print("(shortened: fixed costs weigh more than in the whole measurement)")


if __name__ == "__main__":
    main()
