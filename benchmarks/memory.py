"""Peak memory of training each of the report's models on a CPU, each in a process of its own.

    FASHIONTUI_DATA_DIR=... python -m benchmarks.memory

Each row is the command line's own process as the operating system counts it: an epoch of the recipe
``fast`` (211 to 421 steps) with its validation, the test, and before them the measurement that a
network gets once. The first row is what importing torch takes by itself. Aim: 600 MB, at most 900.

This program itself stays small: a process begins with the peak of the one that starts it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from fashiontui.domain.report import REPORT_MODELS

UNIT = 1 if platform.system() == "Darwin" else 1024
"""Bytes in what the system counts peak memory in."""
IMPORT = "import os, torch; print(torch.__version__, flush=True); os._exit(0)"
"""As the program leaves: Python's farewell takes memory too."""
AIM, REACH = 600, 900
"""MB."""


def peak(command: list[str]) -> tuple[float, str]:
    """Run a command to its end.

    Returns:
        Its peak resident memory in MB, and its output.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_maxrss * UNIT / 1e6, output


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", choices=[*REPORT_MODELS])
    parser.add_argument("--train", nargs=argparse.REMAINDER, default=[], help="more options")
    asked = parser.parse_args()
    alone, version = peak([sys.executable, "-c", IMPORT])
    print(f"{platform.machine()}, {os.cpu_count()} cores\n")
    print("| Model | trained | MB | |\n|:---|:---|---:|:---|")
    print(f"| none | torch {version.strip()} imported | {alone:.0f} | |", flush=True)
    for name in asked.model or REPORT_MODELS:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_CACHE_HOME"] = folder  # measured anew
            most, output = peak(
                [sys.executable, "-m", "fashiontui", "--batch", "--model", name, "--device", "cpu"]
                + ["--epochs", "1", "--json", "--store", str(Path(folder) / "runs.sqlite3")]
                + asked.train
            )
        [run] = json.loads(output)["runs"]
        assert run["test_accuracy"] is not None, run["cause"]
        verdict = "aim reached" if most <= AIM else "reached" if most <= REACH else "not reached"
        how = f"{run['precision']}, {run['threads']} thread(s), kernels {run['kernels']}"
        print(f"| {name} | {how} | {most:.0f} | {verdict} |", flush=True)


if __name__ == "__main__":
    main()
