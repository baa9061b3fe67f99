"""Everything a key does can be done with the mouse."""

from typing import Any

import pytest
from driving import drive, press, settle, until
from scripted import ScriptedApp, named_network, solved_network, spec_of
from textual.app import App
from textual.events import MouseScrollDown
from textual.pilot import Pilot
from textual.widgets import Collapsible, TabbedContent
from textual.widgets._collapsible import CollapsibleTitle

from fashiontui.domain.events import RunStarted
from fashiontui.domain.shapes import FAMILIES
from fashiontui.store.store import Store
from fashiontui.tui.screens.confirm import Confirm
from fashiontui.tui.screens.details import Details
from fashiontui.tui.screens.help import Help
from fashiontui.tui.widgets.network import NetworkForm

MANY = 70
MODEL, WEIGHTS = 8, 54
"""Columns of the board in which these stand."""


async def without_report(pilot: Pilot[Any]) -> None:
    """Six stored runs and nothing else are on the board."""
    await press(pilot, "h")


def test_a_click_on_a_header_sorts_and_a_second_one_turns_the_order_round() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await without_report(pilot)
        board = app.lab.board
        for reverse in (False, True):
            await pilot.click(board.table, offset=(WEIGHTS, 0))
            await settle(pilot)
            cells = [board.table.get_row_at(row)[5].plain for row in range(6)]
            weights = [int(cell.replace(",", "")) for cell in cells]
            assert weights == sorted(weights, reverse=reverse)

    drive(scenario)


def test_a_click_moves_to_a_row_and_only_a_double_click_opens_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(App, "CLICK_CHAIN_TIME_THRESHOLD", 0)

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await without_report(pilot)
        board = app.lab.board
        await pilot.click(board.table, offset=(MODEL, 3))
        await settle(pilot)
        assert board.table.cursor_row == 2
        await pilot.click(board.table, offset=(MODEL, 3))
        await settle(pilot)
        assert app.screen is app.lab
        monkeypatch.setattr(App, "CLICK_CHAIN_TIME_THRESHOLD", 3600)
        await pilot.double_click(board.table, offset=(MODEL, 4))
        await settle(pilot)
        assert isinstance(app.screen, Details)
        assert board.table.cursor_row == 3

    drive(scenario)


def test_the_wheel_scrolls_the_board() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        table = app.lab.board.table
        assert table.max_scroll_y > 0
        await pilot._post_mouse_events([MouseScrollDown], table, offset=(MODEL, 3))
        await until(pilot, lambda: table.scroll_offset.y > 0)

    drive(scenario, size=(120, 28))


def test_the_wheel_reaches_the_last_of_many_runs() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await without_report(pilot)
        table = app.lab.board.table
        assert table.row_count < MANY
        for _ in range(100):
            for _ in range(5):
                await pilot._post_mouse_events([MouseScrollDown], table, offset=(MODEL, 3))
            await settle(pilot)
            if table.row_count == MANY and table.is_vertical_scroll_end:
                return
        pytest.fail(f"{table.row_count} rows after 500 turns of the wheel")

    def stored(store: Store) -> None:
        for number in range(MANY):
            asked = spec_of(solved_network("fcn", 20_000 + 1_000 * number))
            store.begin(
                RunStarted(f"{number:012x}", asked, asked.weights, 1, "cpu", "", "fp32", 1, "torch")
            )

    drive(scenario, size=(120, 28), stored=stored)


@pytest.mark.parametrize("pane", ["queue-pane", "layer-pane", "log-pane", "board"])
def test_tabs_are_clicked(pane: str) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        lower = app.lab.query_one("#lower", TabbedContent)
        await press(pilot, "7" if pane == "board" else "4")
        await pilot.click(lower.get_tab(pane))
        await settle(pilot)
        assert lower.active == pane

    drive(scenario)


def test_families_buttons_groups_and_the_footer_are_clicked() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        form = app.lab.configure
        await pilot.click(app.lab.query_one(NetworkForm).query("FamilyButton").last())
        await pilot.click("#train")
        await settle(pilot)
        assert [job.spec.arch for job in app.queue.waiting] == [list(FAMILIES)[-1]]
        await pilot.click("#all-seven")
        await settle(pilot)
        assert len(app.queue.waiting) == 8
        await pilot.click(form.query_one("#finer").query_one(CollapsibleTitle))
        await settle(pilot)
        assert not form.query_one("#finer", Collapsible).collapsed
        await pilot.click(app.lab.query("FooterKey").first())
        await settle(pilot)
        assert len(app.queue.waiting) == 9

    drive(scenario)


def test_the_question_before_quitting_is_answered_by_click() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("cnn-50k")), 1)
        await settle(pilot)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.click("#no")
        await settle(pilot)
        assert app.screen is app.lab

    drive(scenario)


def test_where_one_panel_fits_a_line_of_panels_is_clicked() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        for number in (2, 3, 4, 1):
            await pilot.click(f"#go-{number}", offset=(3, 0))
            await settle(pilot)
            assert app.lab.has_class(f"-show-{number}")
        await pilot.click("#go-help", offset=(2, 0))
        await settle(pilot)
        assert isinstance(app.screen, Help)

    drive(scenario, size=(60, 20))
