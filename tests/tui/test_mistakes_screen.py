"""The screen of mistakes: every key of it, and what it says when there is nothing to show."""

from typing import Any

import numpy as np
import pytest
from driving import drive, opened, press, settle
from scripted import ScriptedApp
from textual.pilot import Pilot
from textual.widgets import Static

from fashiontui.domain.board import Board
from fashiontui.domain.confusion import confusion
from fashiontui.images import test_images
from fashiontui.images.sample import drawn
from fashiontui.tui.screens.lab import LabScreen
from fashiontui.tui.screens.mistakes import Mistakes
from fashiontui.tui.widgets.count_table import CountTable
from fashiontui.tui.widgets.gallery import Gallery


@pytest.fixture(autouse=True)
def _sample_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of the classes that scripted runs were tested on."""
    images = np.tile(drawn().test_images, (10, 1, 1))
    monkeypatch.setattr(test_images, "test_images", lambda dataset, folders: images)


def said(app: ScriptedApp, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


def test_m_shows_the_matrix_of_the_run_under_the_cursor() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        screen = await opened(pilot, Mistakes, "4", "h", "m")
        assert "cnn-50k seed 0" in said(app, "#facts-a")
        made = screen._made[0]
        row, column = screen.query_one(CountTable).cursor
        assert f"{confusion(made)[row][column]} images" in said(app, "#cell-says")
        await press(pilot, "escape")
        assert isinstance(app.screen, LabScreen)

    drive(scenario)


def test_arrows_move_and_enter_shows_the_images_of_the_cell() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        screen = await opened(pilot, Mistakes, "4", "h", "m")
        screen, table = app.screen, app.screen.query_one(CountTable)
        row, column = table.cursor
        await press(pilot, "down", "left", "up", "right")
        assert table.cursor == (row, column)
        gallery = screen.query_one(Gallery)
        assert not gallery.has_focus
        await press(pilot, "enter")
        assert gallery.has_focus
        made, first = screen._made[0], gallery.chosen
        await press(pilot, "right")
        assert gallery.chosen != first
        assert (made.labels[gallery.chosen], made.predicted[gallery.chosen]) == (row, column)
        await press(pilot, "home")
        assert gallery.chosen == first
        await press(pilot, "pagedown", "down", "pageup", "up", "escape")
        assert table.has_focus

    drive(scenario)


def test_s_shows_all_mistakes_the_surest_first() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, Mistakes, "4", "h", "m")
        await press(pilot, "s")
        made, gallery = app.screen._made[0], app.screen.query_one(Gallery)
        assert made.probabilities[10 * gallery.chosen + made.predicted[gallery.chosen]] == 255
        assert len(gallery._images) == len(made.labels) - sum(made.correct)

    drive(scenario)


def test_two_marked_runs_are_compared_with_mcnemars_test() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        screen = await opened(pilot, Mistakes, "4", "h", "space", "space", "m")
        assert "Exact McNemar test: p = " in said(app, "#cell-says")
        a, b = screen._made
        [image] = [screen.query_one(Gallery).chosen]
        assert a.correct[image] and not b.correct[image]
        await press(pilot, "c")
        assert "taken for" in said(app, "#cell-says")
        shown = screen._shown
        await press(pilot, "x")
        assert screen._shown != shown
        await press(pilot, "c")
        assert "McNemar" in said(app, "#cell-says")

    drive(scenario)


def test_a_run_that_was_never_tested_stays_on_the_board_with_a_sentence() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.board.fetch([f"{3:012x}"], "mistakes")  # the one that failed
        await settle(pilot)
        assert isinstance(app.screen, LabScreen)
        assert "has no predictions" in "".join(n.message for n in app._notifications)

    drive(scenario)


def test_with_no_run_it_says_what_to_press() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.board.load(Board())
        await opened(pilot, Mistakes, "m")
        assert app.screen.query_one(".empty").display
        await press(pilot, "escape")

    drive(scenario)


def test_images_that_are_missing_leave_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    from fashiontui.domain.errors import DataError

    def nowhere(dataset: str, folders: object) -> None:
        raise DataError("The test images are not on this machine; d gets Fashion-MNIST.")

    monkeypatch.setattr(test_images, "test_images", nowhere)

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, Mistakes, "4", "h", "m")
        await press(pilot, "enter", "right")
        assert "d gets Fashion-MNIST" in said(app, "#images-missing")
        assert app.screen.query_one(Gallery).chosen is not None

    drive(scenario)
