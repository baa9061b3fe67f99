"""The race: every key of it."""

from typing import Any

import pytest
from driving import drive, opened, press
from msgspec import structs
from scripted import ScriptedApp
from textual.pilot import Pilot
from textual.widgets import Static

from fashiontui.tui.screens import over_runs
from fashiontui.tui.screens.lab import LabScreen
from fashiontui.tui.screens.race import Race
from fashiontui.tui.widgets.chart import Chart


@pytest.fixture(autouse=True)
def _standing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still; tests let time pass."""
    monkeypatch.setattr(over_runs, "monotonic", lambda: 0.0)


def said(app: Any, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


def test_b_races_the_marked_runs_by_epochs_or_seconds() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        screen = await opened(pilot, Race, "4", "h", "space", "space", "space", "b")
        assert len(screen._field) == 3
        assert "epoch 10 (the end)" in said(app, "#race-title")
        assert "chance that the lead is real" in said(app, "#lead")
        await press(pilot, "left")
        assert "epoch 9 of 10" in said(app, "#race-title")
        await press(pilot, "home", "right")
        assert "epoch 2 of 10" in said(app, "#race-title")
        lengths = [len(series.points) for series in screen.query_one(Chart).curves.series]
        assert lengths == [2, 2, 2]
        await press(pilot, "s")
        assert "RACE by seconds · at 21.0 s" in said(app, "#race-title")
        await press(pilot, "left", "end")
        assert "(the end)" in said(app, "#race-title")
        await press(pilot, "escape")
        assert isinstance(app.screen, LabScreen)

    drive(scenario)


def test_space_lets_the_race_run_and_holds_it() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        screen = await opened(pilot, Race, "4", "h", "space", "space", "b")
        await press(pilot, "space")
        screen.advance(3.0)
        assert screen._here == pytest.approx(2.0)  # a fifth of ten epochs
        await press(pilot, "space")
        screen.advance(3.0)
        assert screen._here == pytest.approx(2.0)
        await press(pilot, "space")
        screen.advance(99.0)
        assert screen._position is None and not screen._playing

    drive(scenario)


def test_t_queues_the_seeds_that_others_have() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        record = app.library.get([f"{1:012x}"])[0]
        other = app.library.get([f"{2:012x}"])[0]
        seeded = structs.replace(record.spec, seed=5)
        object.__setattr__(record, "spec", seeded)
        app.push_screen(Race((record, other), lambda: app.lab.history, "braille"))
        await press(pilot, "t")
        assert sorted(job.spec.seed for job in app.queue.waiting) == [0, 5]

    drive(scenario)


def test_with_one_run_it_says_what_to_press() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, Race, "4", "h", "b")
        await press(pilot, "space", "left", "home", "end", "s")
        assert app.screen.has_class("-empty")

    drive(scenario)
