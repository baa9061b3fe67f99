"""Measures what the app promises: a quick loop beside training, a quick board, bounded memory.

``python -m benchmarks.tui`` prints one line a promise. Run it on an idle machine: the event loop
and the training share the cores with everything else.
"""

import argparse
import asyncio
import gc
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from time import monotonic, perf_counter
from typing import BinaryIO

from msgspec import to_builtins
from sqlalchemy import insert

from fashiontui.config import Config
from fashiontui.domain.board import Board
from fashiontui.domain.events import EpochEnded, Progress, RunStarted, Status
from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.spec import RunSpec
from fashiontui.store import Store
from fashiontui.store.tables import epochs as epochs_table
from fashiontui.store.tables import predictions
from fashiontui.store.tables import runs as runs_table
from fashiontui.tui.app import FashionTui
from fashiontui.tui.choice import Choice
from fashiontui.tui.messages import JobBegan, RunEvent
from fashiontui.tui.queue import Job
from fashiontui.tui.widgets.leaderboard import PAGE, Leaderboard

SIZE = (150, 45)
TRAINED_EPOCHS = 20
TURNS, TURN_SECONDS = 60, 1.0
WARM_STEPS = 500
ENDLESS = 10_000
SAY_SECONDS = 0.1
TICK_SECONDS = 0.005
STORED_RUNS = 10_000
SEEDS_EACH = 5
EPOCHS_EACH = 6
HOURS = 8
PATIENCE = 300.0


def spec(epochs: int) -> RunSpec:
    """fcn-100k on whatever this machine has, with nothing left to measure."""
    recipe = load_recipe("fast", Path("/nonexistent"))
    where = {"device": "cpu", "precision": "fp32", "threads": 1}
    return plan([named_network("fcn-100k")], recipe, {"epochs": epochs}, [0], **where)[0]


class Quiet(FashionTui):
    """The app without its training thread."""

    def _start_training_thread(self) -> None:
        pass


def first_paint() -> float:
    """Seconds from starting ``fashiontui`` in a terminal until its last panel stands there."""
    return min(_painted_after() for _ in range(5))


def _painted_after() -> float:
    """One start in a terminal of its own and with settings of its own."""
    process, terminal = pty.fork()
    if process == 0:
        home = tempfile.mkdtemp()
        for name in ("DATA", "CONFIG", "CACHE", "STATE"):
            os.environ[f"XDG_{name}_HOME"] = home
        os.environ.update(COLUMNS=str(SIZE[0]), LINES=str(SIZE[1]), TERM="xterm-256color")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once
        os.execv(sys.executable, [sys.executable, "-m", "fashiontui"])
    began, shown = perf_counter(), b""
    while b"Leaderboard" not in shown:
        shown += os.read(terminal, 65536)
    seconds = perf_counter() - began
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(terminal)
    return seconds


async def while_training(folder: Path, data: list[Path]) -> list[float]:
    """Lags of the event loop in ms while fcn-100k trains in the app."""
    app = FashionTui(str(folder / "runs.db"), "fashion-mnist", data, Choice(), Config())
    lags: list[float] = []
    async with app.run_test(size=SIZE):
        app.queue.add([spec(TRAINED_EPOCHS)])
        limit = monotonic() + PATIENCE
        while len(app.lab.history.epochs) < 2 and monotonic() < limit:
            await asyncio.sleep(0.05)
        while app.lab.history.finished is None and monotonic() < limit:
            due = perf_counter() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            lags.append(1000 * (perf_counter() - due))
        await app._leave()
    return lags


def train_in_turns(side: str, folder: Path, data: list[Path], said: BinaryIO) -> None:
    """Train fcn-100k without end, in the app or as ``--batch`` does, and say how many steps."""

    def say(steps: int) -> None:
        said.write(steps.to_bytes(8, "little"))
        said.flush()

    where = str(folder / f"{os.getpid()}.db")
    if side == "batch":
        from fashiontui.data import load
        from fashiontui.engine import choose_placement, find_device
        from fashiontui.runner import run

        asked, device = spec(ENDLESS), find_device("cpu")
        images = load("fashion-mnist", data, lambda _: None).to(device)
        placement = choose_placement(asked, device, Path("/nonexistent"))
        with closing(Store(where)) as store:
            for event in run(asked, images, placement, store):
                if isinstance(event, Progress):
                    say(event.step)
        return

    async def shown() -> None:
        app = FashionTui(where, "fashion-mnist", data, Choice(), Config())
        async with app.run_test(size=SIZE):
            app.queue.add([spec(ENDLESS)])
            while True:
                await asyncio.sleep(SAY_SECONDS)
                say(app.lab.history.steps_done)

    asyncio.run(shown())


class Side:
    """A process that trains, at its turns alone."""

    def __init__(self, name: str, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.tui", "--side", name, "--folder", str(folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
        self.steps = 0
        while self._heard() < WARM_STEPS:
            pass
        self._process.send_signal(signal.SIGSTOP)

    def _heard(self) -> int:
        """The next step it says."""
        assert self._process.stdout
        if not (said := self._process.stdout.read(8)):
            raise SystemExit("A process that trained for the comparison has ended early.")
        return int.from_bytes(said, "little")

    def turn(self) -> None:
        """Let it train for a while; steps of the last tenth of a second count for the next turn."""
        assert self._process.stdout
        self._process.send_signal(signal.SIGCONT)
        until = perf_counter() + TURN_SECONDS
        while (left := until - perf_counter()) > 0:
            if select.select([self._process.stdout], [], [], left)[0]:
                self.steps = self._heard()
        self._process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()


def fill(store: Store) -> None:
    """Store many runs at once, five seeds of each spec, with epochs and predictions."""
    usual = to_builtins(spec(EPOCHS_EACH))
    began = datetime(2026, 1, 1, tzinfo=UTC)
    labels = bytes(10_000)
    with store._engine.begin() as connection:
        for number in range(STORED_RUNS):
            run_id = f"{number:012x}"
            tried, seed = divmod(number, SEEDS_EACH)
            lr = {"settings": {**usual["settings"], "lr": 1e-3 * (1 + tried / 100)}}
            asked = {**usual, **lr, "seed": seed}
            val = 85 + tried % 40 / 5 + seed * number % 7 / 10
            connection.execute(
                insert(runs_table).values(
                    id=run_id, created=began + timedelta(minutes=number), status="finished",
                    spec=asked, device="cpu", device_name="cpu", precision="fp32", threads=1,
                    versions={}, train_seconds=9.0, total_seconds=9.5,
                    test_accuracy=85 + number % 700 / 100,
                    trained_epochs=EPOCHS_EACH, val_accuracy=val, images_per_second=9e4,
                    owner_host="x", owner_pid=1, owner_started=0.0,
                )
            )  # fmt: skip
            connection.execute(
                insert(epochs_table),
                [
                    {
                        "run_id": run_id, "epoch": epoch, "train_loss": 0.4, "val_loss": 0.4,
                        "val_accuracy": val, "lr": 1e-3,
                        "images_per_second": 9e4, "train_seconds": 1.5 * epoch,
                    }
                    for epoch in range(1, EPOCHS_EACH + 1)
                ],
            )  # fmt: skip
            connection.execute(
                insert(predictions),
                [
                    {"run_id": run_id, "split": split, "predicted": made, "labels": made}
                    for split, made in (("validation", labels[:6_000]), ("test", labels))
                ],
            )


async def board_opening(folder: Path) -> float:
    """Seconds from asking the store for its runs until they are on the screen: the least of nine.

    Other machines on the same processor slow this one manyfold, for seconds at a time.
    """
    where = str(folder / "many.db")
    with closing(Store(where)) as store:
        fill(store)
    app = Quiet(where, "fashion-mnist", [folder], Choice(), Config())
    async with app.run_test(size=SIZE) as pilot:
        board = app.query_one(Leaderboard)
        while board.table.row_count < PAGE:  # its first reading, which loads SQLAlchemy and scipy
            await asyncio.sleep(0.01)
        await app.workers.wait_for_complete()
        await pilot.pause()
        times = []
        for _ in range(9):
            board.load(Board())
            await pilot.pause()
            began = perf_counter()
            board.read_store()
            while board.table.row_count < PAGE:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0)
            times.append(perf_counter() - began)
        app.exit()
    return min(times)


async def memory_growth(folder: Path) -> float:
    """MiB that eight hours of events add, once the first minutes have filled what is bounded."""
    app = Quiet(str(folder / "memory.db"), "fashion-mnist", [folder], Choice(), Config())
    asked = spec(10_000)
    job = Job(1, asked)
    async with app.run_test(size=SIZE) as pilot:
        app.lab.post_message(JobBegan(job))
        app.lab.post_message(
            RunEvent(job, RunStarted("x", asked, 1, 10**7, "cpu", "", "fp32", 1, "torch"))
        )
        tick = Progress("x", 1, 0.0, 0.5, 1e-3, 9e4, 0.1)
        ended = EpochEnded("x", 1, 0.5, 0.5, 90.0, 1e-3, 9e4, 1.0)

        async def hours(first: int, last: int) -> None:
            for number in range(first * 36_000, last * 36_000):
                event = replace(tick, step=number, epoch=number / 50, train_seconds=number / 10)
                app.lab._run_event(RunEvent(job, event))
                if number % 50 == 49:
                    epoch = replace(ended, epoch=number // 50, train_seconds=number / 10)
                    app.lab._run_event(RunEvent(job, epoch))
                if number % 2_000 == 0:
                    await pilot.pause(0)

        tracemalloc.start()
        await pilot.pause(0.3)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        await hours(0, HOURS)
        await pilot.pause(0.3)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert app.lab.history.status is Status.RUNNING
        app.exit()
    return grown / 2**20


def slowdown(folder: Path, beside: str = "app") -> float:
    """By how many percent the app trains slower than ``--batch``.

    Two processes train, one of them at a time, for a second each: the machine's pace changes from
    second to second, and so it does for both.
    """
    with closing(Side("batch", folder)) as alone, closing(Side(beside, folder)) as other:
        sides = [alone, other]
        for side in sides:
            side.turn()  # what it did before it was stopped
        began = [side.steps for side in sides]
        for number in range(TURNS):
            for side in sides if number % 2 else sides[::-1]:
                side.turn()
        batch, shown = (side.steps - steps for side, steps in zip(sides, began, strict=True))
    return 100 * (1 - shown / batch)


def main() -> None:
    """Print each figure beside what was promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", choices=("app", "batch"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--slowdown-only", action="store_true", help="the last figure alone")
    options = parser.parse_args()
    data = [Path(os.environ["FASHIONTUI_DATA_DIR"])]
    if options.side:
        train_in_turns(options.side, options.folder, data, sys.stdout.buffer)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if not options.slowdown_only:
            print(f"first paint                    {first_paint():8.2f} s   (under 0.6)")
            opening = asyncio.run(board_opening(folder))
            print(f"10,000 runs on the board       {opening:8.2f} s   (0.3)")
            growth = asyncio.run(memory_growth(folder))
            print(f"growth over 8 hours of events  {growth:8.1f} MiB (20)")
            lags = asyncio.run(while_training(folder, data))
            print(
                f"loop lag, 99th percentile      {quantiles(lags, n=100)[98]:8.1f} ms  (under 20)"
            )
        print(f"training slower than batch     {slowdown(folder):8.1f} %   (3)")
        if options.slowdown_only:
            noise = slowdown(folder, "batch")
            print(f"batch slower than batch        {noise:8.1f} %   (noise alone)")


if __name__ == "__main__":
    main()
