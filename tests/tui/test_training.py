"""The training thread for real: on the sample set, stopped at once, joined when quitting."""

import asyncio
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from driving import press, settle, until
from msgspec import structs

from fashiontui.config import Config
from fashiontui.domain.events import Status
from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.spec import RunSpec
from fashiontui.store import Store
from fashiontui.tui.app import FashionTui
from fashiontui.tui.choice import Choice
from fashiontui.tui.screens.confirm import Confirm
from fashiontui.tui.widgets.status_line import StatusLine


def app_on(folder: Path) -> FashionTui:
    """The app on the sample set, with a store of its own."""
    return FashionTui(str(folder / "runs.db"), "sample", [folder], Choice(), Config())


def sample_spec(epochs: int) -> RunSpec:
    """A small network on the sample set, with nothing left to measure."""
    recipe = load_recipe("fast", Path("/nonexistent"))
    where = {"device": "cpu", "precision": "fp32", "threads": 1}
    spec = plan([named_network("fcn-50k")], recipe, {"epochs": epochs}, [0], **where)[0]
    return structs.replace(spec, dataset="sample")


def test_a_run_trains_is_stopped_and_the_thread_is_joined(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    stopped_within = []

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            lab = app.lab
            await until(pilot, lambda: bool(lab.query_one(StatusLine).device))
            app.queue.add([sample_spec(epochs=2)])
            await until(pilot, lambda: lab.history.status is Status.FINISHED)
            assert len(lab.history.epochs) == 2

            app.queue.add([sample_spec(epochs=10_000), sample_spec(epochs=3)])
            await until(pilot, lambda: len(lab.history.epochs) > 2)
            began = monotonic()
            await pilot.press("s")
            await until(pilot, lambda: app.queue.current is None)
            stopped_within.append(monotonic() - began)
            assert app.queue.held and len(app.queue.waiting) == 1

            app.queue.add([sample_spec(epochs=10_000)])
            await until(pilot, lambda: len(app.queue.waiting) == 0)
            await pilot.press("q")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            await pilot.press("y")
            await until(pilot, lambda: not app.is_running)

    asyncio.run(run())
    assert stopped_within[0] < 2
    assert app.return_code == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("asyncio")]
    kept = [run.status for run in Store(str(tmp_path / "runs.db")).runs()]
    assert sorted(kept) == [Status.FINISHED, Status.FINISHED, Status.STOPPED, Status.STOPPED]


def test_c_continues_a_stopped_run_as_if_it_had_not_been_stopped(tmp_path: Path) -> None:
    app = app_on(tmp_path)

    async def run() -> None:
        async with app.run_test(size=(150, 45)) as pilot:
            lab = app.lab
            app.queue.add([sample_spec(epochs=60)])
            await until(pilot, lambda: lab.history.status is Status.FINISHED)
            app.queue.add([sample_spec(epochs=60)])
            await until(pilot, lambda: 0 < len(lab.history.epochs) < 60)
            await pilot.press("s")
            await until(pilot, lambda: lab.history.status is Status.STOPPED)
            await until(pilot, lambda: app.queue.current is None)
            await press(pilot, "4")
            place = next(
                place for place, row in enumerate(lab.board._order) if row.status is Status.STOPPED
            )
            lab.board.table.move_cursor(row=place)
            await settle(pilot)
            await pilot.press("c")
            await until(pilot, lambda: lab.history.status is Status.FINISHED)
            assert [epoch.epoch for epoch in lab.history.epochs] == list(range(1, 61))
            await until(pilot, lambda: app.queue.current is None)
            await pilot.press("q")
            await until(pilot, lambda: not app.is_running)

    asyncio.run(run())
    one, other = Store(str(tmp_path / "runs.db")).runs()
    assert one.weights_sha256 == other.weights_sha256
    assert [e.train_loss for e in one.epochs] == [e.train_loss for e in other.epochs]


def test_an_app_that_breaks_keeps_the_run_and_ends(tmp_path: Path) -> None:
    app = app_on(tmp_path)

    def breaks() -> None:
        raise RuntimeError("a fault of the app")

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            app.queue.add([sample_spec(epochs=10_000), sample_spec(epochs=10_000)])
            await until(pilot, lambda: len(app.lab.history.epochs) > 2)
            app.call_later(breaks)
            await until(pilot, lambda: not app.is_running)

    with pytest.raises(RuntimeError, match="a fault of the app"):
        asyncio.run(run())
    with closing(Store(str(tmp_path / "runs.db"))) as store:
        [kept] = store.runs()
    assert kept.status is Status.STOPPED


def test_a_store_that_cannot_be_opened_is_said_and_the_app_lives_on(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_text("not a database at all, but long enough to be read as one")
    app = app_on(tmp_path)

    async def run() -> None:
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            await until(pilot, lambda: bool(app._notifications))
            assert "Cannot use the store" in next(iter(app._notifications)).message
            app.queue.add([sample_spec(epochs=1)])
            await until(pilot, lambda: app.queue.held)
            assert app.is_running
            await pilot.press("q")
            await until(pilot, lambda: not app.is_running)

    asyncio.run(run())
    assert app.return_code == 0


def test_a_device_that_is_not_there_is_said_and_the_app_lives_on(tmp_path: Path) -> None:
    app = app_on(tmp_path)

    async def run() -> None:
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            lost = structs.replace(sample_spec(epochs=1), device="cuda:7")
            app.queue.add([lost])
            await until(pilot, lambda: bool(app._notifications))
            assert "no device cuda:7" in next(iter(app._notifications)).message
            app.queue.add([sample_spec(epochs=1)])
            await until(pilot, lambda: app.lab.history.finished is not None)
            await until(pilot, lambda: app.queue.current is None)
            await pilot.press("q")
            await until(pilot, lambda: not app.is_running)

    asyncio.run(run())


@pytest.mark.parametrize("module", ["torch", "sqlalchemy", "scipy", "pydantic"])
def test_the_first_screen_needs_no_heavy_import(module: str) -> None:
    program = f"import sys, fashiontui.tui.app; sys.exit('{module}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
