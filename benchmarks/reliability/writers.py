"""Several processes make one store and write it at once; counts what is in it afterwards.

``python -m benchmarks.reliability.writers`` prints one line a database: how many of the runs are
there with all their epochs and predictions, and how long a commit took. Nothing is trained.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from benchmarks.reliability.postgres import NoServer, running
from fashiontui.domain.events import EpochEnded, Predictions, RunFinished, RunStarted, Status
from fashiontui.domain.recipe import Settings
from fashiontui.domain.spec import RunSpec
from fashiontui.store import Store
from fashiontui.store.store import new_run_id

PROCESSES, RUNS, EPOCHS = 8, 200, 5
VALIDATION = Predictions(bytes(6_000), bytes(i % 10 for i in range(6_000)))
TEST = Predictions(bytes(10_000), bytes(i % 10 for i in range(10_000)))
SPEC = RunSpec(
    model="fcn-50k",
    arch="fcn",
    shape=(60, 40),
    recipe="made",
    settings=Settings(epochs=EPOCHS),
    dataset="sample",
)


@dataclass(frozen=True)
class Figures:
    """What came of it."""

    wanted: int
    stored: int
    complete: int
    """Runs that are finished, with every epoch and both sets of predictions."""
    errors: tuple[str, ...]
    """What the processes complained of."""
    seconds: float
    commits: tuple[float, ...]
    """Seconds of each."""

    def __str__(self) -> str:
        """One line."""
        last = quantiles(self.commits, n=1000)[-1]
        return (
            f"{self.complete:,} of {self.wanted:,} runs complete, {len(self.errors)} errors; "
            f"{len(self.commits):,} commits in {self.seconds:.1f} s, "
            f"each {1000 * median(self.commits):.1f} ms (median), {1000 * last:.0f} ms (99.9%), "
            f"{1000 * max(self.commits):.0f} ms (longest)"
        )


def write_at_once(where: str, processes: int = PROCESSES, runs: int = RUNS) -> Figures:
    """Let processes open a store that is not there yet, all at the same moment, and write runs.

    Args:
        where: Path or URL of the store.
        processes: How many.
        runs: How many each writes.
    """
    command = [sys.executable, "-m", "benchmarks.reliability.writers", where, str(runs)]
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    writers = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        for _ in range(processes)
    ]
    for writer in writers:
        assert writer.stdout and writer.stdout.readline() == "ready\n"
    began = perf_counter()
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = [writer.communicate() for writer in writers]
    seconds = perf_counter() - began
    commits = [second for out, _ in said for second in json.loads(out or "[]")]
    with closing(Store(where)) as store:
        ids = [record.id for record in store.runs()]
        complete = sum(is_complete(store, run_id) for run_id in ids)
    errors = tuple(error for _, error in said if error)
    return Figures(processes * runs, len(ids), complete, errors, seconds, tuple(commits))


def is_complete(store: Store, run_id: str) -> bool:
    """Whether all of a run is there."""
    record = store.get(run_id)
    return (
        record.status is Status.FINISHED
        and [epoch.epoch for epoch in record.epochs] == [*range(1, EPOCHS + 1)]
        and (record.validation, record.test) == (VALIDATION, TEST)
    )


def write(where: str, runs: int) -> None:
    """What one process does: prints how long each commit took."""
    import alembic.command  # noqa: F401  # loaded before the start, so that all begin at once

    print("ready", flush=True)
    sys.stdin.readline()
    commits = []
    with closing(Store(where)) as store:
        for _ in range(runs):
            for event in events_of(new_run_id()):
                began = perf_counter()
                match event:
                    case RunStarted():
                        store.begin(event)
                    case EpochEnded():
                        store.add_epoch(event)
                    case RunFinished():
                        store.end(event)
                commits.append(perf_counter() - began)
    print(json.dumps(commits))


def events_of(run_id: str) -> list[RunStarted | EpochEnded | RunFinished]:
    """A made-up run."""
    versions = {"torch": "2"}
    started = RunStarted(
        run_id, SPEC, SPEC.weights, 7, "cpu", "A CPU", "fp32", 1, "torch", versions
    )
    epochs = [EpochEnded(run_id, n, 1 / n, 1 / n, 80.0, 1e-3, 1e5, n) for n in range(1, EPOCHS + 1)]
    finished = RunFinished(run_id, Status.FINISHED, None, 5.0, 6.0, VALIDATION, TEST, "ab" * 32)
    return [started, *epochs, finished]


def main() -> None:
    """Write one SQLite file and one PostgreSQL database; print a line each."""
    with tempfile.TemporaryDirectory() as folder:
        _report("SQLite", write_at_once(str(Path(folder) / "runs.sqlite3")))
    try:
        with (
            running(os.environ.get("FASHIONTUI_TEST_POSTGRES"), durable=True) as server,
            server.database() as url,
        ):
            _report("PostgreSQL", write_at_once(url))
    except NoServer as missing:
        print(f"PostgreSQL: NOT MEASURED: {missing}")


def _report(name: str, figures: Figures) -> None:
    print(f"{name}, {PROCESSES} processes: {figures}", flush=True)
    for error in figures.errors:
        print(error.strip().splitlines()[-1])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(sys.argv[1], int(sys.argv[2]))
    else:
        main()
