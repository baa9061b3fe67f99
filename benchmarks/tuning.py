"""Measures what tuning promises: the report's goal in 90 seconds, a study on the screen at once.

``python -m benchmarks.tuning`` prints one line a promise. Run it on an idle machine.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from rich.console import RenderableType
from textual.screen import Screen

from fashiontui.config import Config
from fashiontui.domain.events import EpochEnded, Status
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.record import RunRecord
from fashiontui.domain.space import load_space
from fashiontui.domain.study import plan_study
from fashiontui.store import Store
from fashiontui.tui.app import FashionTui
from fashiontui.tui.choice import Choice
from fashiontui.tui.widgets.dots import Dots
from fashiontui.tuning import Studies

TARGET = 88.0
BUDGET = 100_000
TRIALS = 200
SIZE = (150, 45)
NOWHERE = Path("/nonexistent")


def reaching_the_target(folder: Path) -> tuple[float, dict]:
    """Seconds of the whole command, imports and the final test included, and its document."""
    began = perf_counter()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fashiontui", "tune", "--arch", "fcn", "--budget", str(BUDGET)),
            *("--target", f"{TARGET:g}", "--json", "--store", str(folder / "target.db")),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return perf_counter() - began, json.loads(done.stdout)


def fill(studies: Studies) -> None:
    """A study of many finished trials."""
    spec = plan_study(
        "fcn", BUDGET, load_space(None), load_recipe("fast", NOWHERE), sampler="random"
    )
    study = studies.begin(spec)
    for number in range(TRIALS):
        trial = study.ask(f"{number:012x}")
        run = study.spec.run_of(trial.params)
        accuracy = 90 - 10 * trial.params["lr"]
        ended = EpochEnded("", 1, 0.5, 0.5, accuracy, 1e-3, 9e4, 1.0)
        epochs = tuple(replace(ended, epoch=epoch) for epoch in range(1, 7))
        for epoch in epochs:
            trial.report(epoch.val_accuracy, epoch.epoch)
        study.complete(trial, _record(run, epochs))


def _record(spec: object, epochs: tuple[EpochEnded, ...]) -> RunRecord:
    return RunRecord(
        "x", spec, Status.FINISHED, datetime.now(UTC), "cpu", "cpu", "fp32", 1, {},
        epochs=epochs, train_seconds=3.0,
    )  # fmt: skip


class Quiet(FashionTui):
    """The app without its training thread; it notes when trials and charts are painted."""

    painted = 0.0

    def _start_training_thread(self) -> None:
        pass

    def _display(self, screen: Screen, renderable: RenderableType | None) -> None:
        """Whatever is drawn passes here on its way to the terminal."""
        super()._display(screen, renderable)
        now = perf_counter()
        if self.painted or type(screen).__name__ != "Tune" or screen.table.row_count < TRIALS:
            return
        strips = screen._compositor.render_strips()
        shown = "".join(segment.text for strip in strips for segment in strip)
        if "✓ complete" in shown and shown.count("◆") == len(screen.query(Dots)):
            self.painted = now


async def opening(where: str) -> float:
    """Seconds from the key until table and charts are painted, all that is imported included."""
    app = Quiet(where, "fashion-mnist", [NOWHERE], Choice(), Config())
    async with app.run_test(size=SIZE) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        began = perf_counter()
        app.simulate_key("o")
        while not app.painted:
            await asyncio.sleep(0.001)
        app.exit()
    return app.painted - began


def opened_in_a_process_of_its_own(where: str) -> float:
    """The same where nothing is imported yet but what the app itself needs."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tuning", where],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main() -> None:
    """Print each figure beside what was promised."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        where = str(folder / "many.db")
        with closing(Store(where)) as store, closing(Studies(store)) as studies:
            fill(studies)
        seconds = min(opened_in_a_process_of_its_own(where) for _ in range(3))
        print(f"{TRIALS} trials on the screen  {seconds:8.2f} s   (0.3)")
        if "FASHIONTUI_DATA_DIR" in os.environ:
            seconds, document = reaching_the_target(folder)
            run = document["chosen"]["run"]
            print(f"target {TARGET:g}% within {BUDGET:,}  {seconds:6.0f} s   (90)")
            print(
                f"  {len(document['trials'])} trials; chosen: {run['weights']:,} weights, "
                f"validation {run['val_accuracy']:.2f}%, test {run['test_accuracy']:.2f}%"
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(asyncio.run(opening(sys.argv[1])))
    else:
        main()
