"""Measures what the app promises: a quick loop beside training, a quick board, bounded memory.

``python -m benchmarks.tui`` prints one line a promise. Run it on an idle machine: the event loop
and the training share the cores with everything else.
"""

import asyncio
import gc
import os
import pty
import signal
import sys
import tempfile
import tracemalloc
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter

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
PAIRS, PAIR_EPOCHS = 9, 6
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


async def while_training(
    folder: Path, data: list[Path], look_every: float, epochs: int
) -> tuple[list[float], float]:
    """Lags of the event loop in ms while fcn-100k trains in the app, and its images/s.

    Looking 200 times a second takes the interpreter from the training: a run that is looked at so
    often tells the lag, and another one the pace.
    """
    app = FashionTui(str(folder / "runs.db"), "fashion-mnist", data, Choice(), Config())
    lags: list[float] = []
    async with app.run_test(size=SIZE):
        app.queue.add([spec(epochs)])
        limit = monotonic() + PATIENCE
        while len(app.lab.history.epochs) < 2 and monotonic() < limit:
            await asyncio.sleep(0.05)
        while app.lab.history.finished is None and monotonic() < limit:
            due = perf_counter() + look_every
            await asyncio.sleep(look_every)
            lags.append(1000 * (perf_counter() - due))
        finished = app.lab.history.epochs
        await app._leave()
    return lags, pace(finished[2:])


def batch_pace(data: list[Path], epochs: int) -> float:
    """Images/s of the same run without a screen."""
    from fashiontui.data import load
    from fashiontui.engine import choose_placement, find_device
    from fashiontui.runner import run
    from fashiontui.store.store import MEMORY

    device = find_device("cpu")
    images = load("fashion-mnist", data, lambda _: None).to(device)
    asked = spec(epochs)
    placement = choose_placement(asked, device, Path("/nonexistent"))
    with closing(Store(MEMORY)) as store, closing(run(asked, images, placement, store)) as events:
        ended = [event for event in events if isinstance(event, EpochEnded)]
    return pace(ended[2:])


def pace(ended: list[EpochEnded]) -> float:
    """Images per second over epochs, validation not counted."""
    return len(ended) / sum(1 / epoch.images_per_second for epoch in ended)


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


def slowdown(folder: Path, data: list[Path]) -> float:
    """By how many percent the app trains slower than ``--batch``: the median of nine pairs.

    Pairs are short and take turns in which comes first: the machine's pace changes meanwhile.
    """
    pairs = []
    for number in range(PAIRS):
        before = batch_pace(data, PAIR_EPOCHS) if number % 2 else None
        _, shown = asyncio.run(while_training(folder, data, 0.5, PAIR_EPOCHS))
        alone = before or batch_pace(data, PAIR_EPOCHS)
        pairs.append(100 * (1 - shown / alone))
    return median(pairs)


def main() -> None:
    """Print each figure beside what was promised."""
    data = [Path(os.environ["FASHIONTUI_DATA_DIR"])]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print(f"first paint                    {first_paint():8.2f} s   (under 0.6)")
        print(f"10,000 runs on the board       {asyncio.run(board_opening(folder)):8.2f} s   (0.3)")
        print(f"growth over 8 hours of events  {asyncio.run(memory_growth(folder)):8.1f} MiB (20)")
        lags, _ = asyncio.run(while_training(folder, data, TICK_SECONDS, TRAINED_EPOCHS))
        print(f"loop lag, 99th percentile      {quantiles(lags, n=100)[98]:8.1f} ms  (under 20)")
        print(f"training slower than batch     {slowdown(folder, data):8.1f} %   (3)")


if __name__ == "__main__":
    main()
