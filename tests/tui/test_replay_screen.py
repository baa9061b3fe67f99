"""The replay: every key of it, in the lab and from the command line."""

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from driving import drive, opened, press
from scripted import ScriptedApp, fill
from textual.pilot import Pilot
from textual.widgets import Static

from fashiontui.config import Config
from fashiontui.domain.board import Board
from fashiontui.domain.replay import replay_of
from fashiontui.store.store import MEMORY, Store
from fashiontui.tui.choice import Choice
from fashiontui.tui.replay_app import ReplayApp
from fashiontui.tui.screens import over_runs
from fashiontui.tui.screens.lab import LabScreen
from fashiontui.tui.screens.replay import ReplayScreen
from fashiontui.tui.widgets.chart import Chart
from fashiontui.tui.widgets.status_line import StatusLine


@pytest.fixture(autouse=True)
def _standing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still; tests let time pass."""
    monkeypatch.setattr(over_runs, "monotonic", lambda: 0.0)


def said(app: Any) -> str:
    return str(app.screen.query_one("#replay-line", Static).content)


def test_l_plays_the_run_under_the_cursor_at_any_speed() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        screen = await opened(pilot, ReplayScreen, "4", "h", "l")
        assert "playing at 2×" in said(app)  # 10 epochs of 2.1 s in less than 20
        screen.advance(2.2)
        curves = screen.query_one("#accuracy", Chart).curves
        assert [len(series.points) for series in curves.series] == [1]
        await press(pilot, "plus", "plus")
        assert "8×" in said(app)
        await press(pilot, "minus", "down", "up")
        assert "4×" in said(app)
        await press(pilot, "right")
        assert len(curves.series[0].points) == 2
        await press(pilot, "left", "left")
        assert not curves.series[0].points
        await press(pilot, "end")
        assert "the end" in said(app)
        assert "finished" in str(screen.query_one(StatusLine).query_one("#running", Static).content)
        await press(pilot, "home")
        assert screen.seconds == 0.0
        await press(pilot, "escape")
        assert isinstance(app.screen, LabScreen)

    drive(scenario)


def test_space_holds_it_and_at_the_end_begins_anew() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, ReplayScreen, "4", "h", "l")
        await press(pilot, "space")
        assert app.screen.paused and "paused" in said(app)
        await press(pilot, "space", "end", "space")
        assert app.screen.seconds == 0.0 and "playing" in said(app)

    drive(scenario)


def test_narrow_terminals_show_the_panel_asked_for() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, ReplayScreen, "4", "h", "l")
        shown = [app.screen.query_one(f"#{name}") for name in ("loss", "accuracy", "first-layer")]
        for digit, expected in (("2", 0), ("3", 1), ("6", 2)):
            await press(pilot, digit)
            visible = [all(n.display for n in widget.ancestors_with_self) for widget in shown]
            assert visible == [number == expected for number in range(3)]
        await press(pilot, "y")

    drive(scenario, size=(60, 20))


def test_with_no_run_it_says_what_to_press() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.board.load(Board())
        await opened(pilot, ReplayScreen, "l")
        await press(pilot, "space", "plus", "right", "end", "home")
        assert app.screen.query_one(".empty").display

    drive(scenario)


def test_the_app_around_a_replay_has_no_lab_and_quits_at_once() -> None:
    with closing(Store(MEMORY)) as store:
        fill(store)
        played = replay_of(store.get(f"{1:012x}"))
    app = ReplayApp(played, 10.0, Choice(), Config(theme=None))

    async def run() -> None:
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            assert "at 10×" in said(app)
            await pilot.press("question_mark", "escape", "f9", "d", "q")

    asyncio.run(run())
    assert app.return_code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["00"], "Several runs begin with '00'; give more of the id."),
        (["nope"], "There is no run 'nope'"),
        (["000000000001", "--speed", "0"], "--speed takes 0.25 to 4096, not 0."),
        (["000000000001"], "A replay needs a terminal"),
    ],
)
def test_what_cannot_be_replayed_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fashiontui.entry import run

    place = str(tmp_path / "runs.db")
    with closing(Store(place)) as store:
        fill(store, 2)
    assert run(["replay", *arguments, "--store", place]) == 2
    assert sentence in capsys.readouterr().err


def test_a_replay_loads_no_torch() -> None:
    code = (
        "import sys; import fashiontui.tui.replay_app, fashiontui.store, fashiontui.cli_replay; "
        "sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
