"""Measures how quickly each screen over stored runs opens, with 1,000 of them in the store.

``python -m benchmarks.screens`` prints one line a screen: seconds from its key until it is drawn,
the median of five openings and the first one, which imports what the screen needs. No torch is
loaded; the last line says so. Run it on an idle machine.
"""

import asyncio
import os
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from fashiontui.config import Config
from fashiontui.domain.events import EpochEnded, FirstLayer, LayerStatistics, Predictions, Status
from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.record import RunRecord
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.store import Store
from fashiontui.tui.app import FashionTui
from fashiontui.tui.choice import Choice
from fashiontui.tui.messages import DataFound
from fashiontui.tui.widgets.leaderboard import PAGE, Leaderboard

SIZE = (150, 45)
STORED_RUNS = 1_000
SEEDS = 5
"""Runs of one network trained one way: the board shows them as one row."""
EPOCHS = 6
OPENINGS = 5
KEYS = {"v": "Pareto", "m": "Mistakes", "b": "Race", "l": "Replay", "w": "Weights"}
AIM = 0.3


class Quiet(FashionTui):
    """The app without its training thread, on Fashion-MNIST."""

    def _start_training_thread(self) -> None:
        self.lab.post_message(DataFound("fashion-mnist", Path("data")))


def fill(store: Store) -> None:
    """Store runs with everything that a run leaves."""
    random = np.random.default_rng(28)
    labels = np.tile(np.arange(10, dtype=np.uint8), 1_000)
    names = list(REPORT_MODELS)
    recipe = load_recipe("fast", Path("/nonexistent"))
    where = {"device": "cpu", "precision": "fp32", "threads": 1}
    records = []
    for number in range(STORED_RUNS):
        network = named_network(names[number % len(names)])
        way, seed = divmod(number // len(names), SEEDS)
        settings = {"epochs": EPOCHS, "lr": 1e-3 * (1 + way)}
        [spec] = plan([network], recipe, settings, [seed], **where)
        run_id = f"{number:012x}"
        wrong = random.random(labels.size) < 0.1
        predicted = np.where(wrong, random.integers(0, 10, labels.size), labels).astype(np.uint8)
        shares = random.dirichlet(np.full(10, 0.05), labels.size)
        test = Predictions(
            predicted.tobytes(), labels.tobytes(), (255 * shares).astype(np.uint8).tobytes()
        )
        side = 28 if spec.arch == "fcn" else 5
        count = min(16, spec.shape[0])
        figures = tuple(
            LayerStatistics(layer.name, layer.output[0], 0.0, 0.1, 0.5, 1.0, 0)
            for layer in spec.family.layers(spec.shape)
        )
        pixels = random.integers(0, 256, count * side**2, dtype=np.uint8).tobytes()
        numbers = range(1, EPOCHS + 1)
        records.append(
            RunRecord(
                run_id, spec, Status.FINISHED, datetime(2026, 1, 1, tzinfo=UTC)
                + timedelta(minutes=number), "cpu", "cpu", "fp32", 1, {},
                epochs=tuple(
                    EpochEnded(run_id, n, 0.4, 0.4, 85 + n / 2, 1e-3, 9e4, 1.5 * n)
                    for n in numbers
                ),
                train_seconds=1.5 * EPOCHS, total_seconds=10.0, test_accuracy=test.accuracy,
                validation=test, test=test,
                inside=tuple(
                    FirstLayer(run_id, n, count, side, pixels, figures) for n in numbers
                ),
            )
        )  # fmt: skip
    store.add_new([records])


async def openings(where: str, folder: Path) -> dict[str, list[float]]:
    """Seconds of each opening of each screen, by its key."""
    app = Quiet(where, "fashion-mnist", [folder], Choice(report_rows=False), Config())
    times: dict[str, list[float]] = {key: [] for key in KEYS}
    async with app.run_test(size=SIZE) as pilot:
        board = app.query_one(Leaderboard)
        while board.table.row_count < PAGE:
            await pilot.pause(0.05)
        await pilot.press("4")
        await app.workers.wait_for_complete()
        for _ in range(OPENINGS):
            for key in KEYS:
                if key in ("b", "m"):
                    await pilot.press("space", "space")
                    await app.workers.wait_for_complete()
                    await pilot.pause()
                lab, began = app.screen, perf_counter()
                app.simulate_key(key)
                while app.screen is lab:
                    await asyncio.sleep(0.001)
                await pilot._wait_for_screen()
                times[key].append(perf_counter() - began)
                await app.workers.wait_for_complete()
                app.pop_screen()
                await pilot.pause()
                for run in [*board.marks]:
                    board.toggle_mark(run)
        app.exit()
    return times


def main() -> None:
    """Print each screen's figure beside the aim."""
    folder = Path(os.environ["FASHIONTUI_DATA_DIR"])
    with tempfile.TemporaryDirectory() as temporary:
        where = str(Path(temporary) / "runs.db")
        with closing(Store(where)) as store:
            fill(store)
        size = Path(where).stat().st_size / STORED_RUNS / 1000
        print(f"{STORED_RUNS:,} stored runs of {size:.0f} KB each")
        for key, seconds in asyncio.run(openings(where, folder)).items():
            print(
                f"{key}  {KEYS[key]:<9} {median(seconds[1:]):6.3f} s, the first time "
                f"{seconds[0]:6.3f} s   (under {AIM})"
            )
    print(f"torch was loaded: {'yes' if 'torch' in sys.modules else 'no'}")


if __name__ == "__main__":
    main()
