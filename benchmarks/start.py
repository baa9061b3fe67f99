"""How long a command takes to answer: ``--help``, and the first steps of training.

    FASHIONTUI_DATA_DIR=... python -m benchmarks.start

Medians of ``--rounds``, by the clock and of the processor's time. "Measured before" starts with
the measurement of threads and precision at hand, "first ever" without.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

COMMAND = [sys.executable, "-m", "fashiontui"]
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once


def help_seconds() -> float:
    """From the command to its end."""
    began = perf_counter()
    subprocess.run([*COMMAND, "--help"], stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - began


def first_steps_seconds(cache: Path) -> float:
    """From the command to the first steps that it tells of."""
    with tempfile.TemporaryDirectory() as folder:
        began = perf_counter()
        process = subprocess.Popen(
            [*COMMAND, *("--batch", "--model", "fcn-100k", "--jsonl", "--device", "cpu")]
            + ["--store", str(Path(folder) / "runs.sqlite3")],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        )
        with process:
            for line in process.stdout or ():
                if '"progress"' in line:
                    break
            seconds = perf_counter() - began
            process.terminate()
        return seconds


def told(what: str, aim: float, seconds: Callable[[], float], rounds: int) -> None:
    """Print a row of the table."""
    user_before = os.times().children_user
    middle = median(seconds() for _ in range(rounds))
    user = (os.times().children_user - user_before) / rounds
    print(f"| {what} | {middle:.2f} s | {user:.2f} s | {aim} s |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print("| | clock | processor | aim |\n|:---|---:|---:|---:|")
    told("`fashiontui --help`", 0.3, help_seconds, rounds)
    with tempfile.TemporaryDirectory() as folder:
        first_steps_seconds(Path(folder))
        told("first steps, measured before", 4, lambda: first_steps_seconds(Path(folder)), rounds)
    with tempfile.TemporaryDirectory() as folder:
        fresh = (Path(folder) / str(number) for number in range(rounds))
        told("first steps, first ever", 4, lambda: first_steps_seconds(next(fresh)), rounds)


if __name__ == "__main__":
    main()
