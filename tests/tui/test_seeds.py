"""On the board, the seeds of one network are one row: what keys and mouse do with it."""

from dataclasses import replace
from typing import Any

from driving import drive, press, settle
from scripted import ScriptedApp, fill_seeds
from textual.pilot import Pilot

from fashiontui.domain.board import BoardRow, board_of
from fashiontui.domain.events import Status
from fashiontui.store.store import MEMORY, Store
from fashiontui.tui.screens.details import Details


def several_on(app: ScriptedApp) -> BoardRow:
    """The row under the cursor, which stands for several seeds."""
    row = app.lab.board.row_here
    assert row is not None and len(row.runs) == 5
    return row


async def on_seeds(app: ScriptedApp, pilot: Pilot[Any]) -> BoardRow:
    """Put the cursor on the first of three rows of five seeds."""
    await press(pilot, "4", "h", "home")
    return several_on(app)


def test_e_shows_each_seed_beneath_its_row_and_hides_them_again() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        row = await on_seeds(app, pilot)
        table = app.lab.board.table
        assert table.row_count == 4
        await press(pilot, "e")
        assert [table.get_row_at(at)[2].plain for at in range(1, 6)] == [
            f"  seed {seed}" for seed in range(5)
        ]
        await press(pilot, "down", "down", "e")
        assert table.row_count == 4
        assert app.lab.board.row_here == row

    drive(scenario, stored=fill_seeds)


def test_a_click_on_the_triangle_unfolds() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await on_seeds(app, pilot)
        table = app.lab.board.table
        name = table.get_row_at(1)[2].plain
        left = sum(column.get_render_width(table) for column in table.ordered_columns[:2])
        await pilot.click(table, offset=(left + table.cell_padding + len(name) - 1, 2))
        await settle(pilot)
        assert table.row_count == 9
        assert app.lab.board.table.cursor_row == 1

    drive(scenario, stored=fill_seeds)


def test_x_deletes_all_seeds_of_a_row_and_u_brings_them_back() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        row = await on_seeds(app, pilot)
        store = app.library.store()
        before = {run.id: store.get(run.id) for run in store.runs()}
        await press(pilot, "x")
        assert {run.id for run in store.runs()} == {*before} - {run.id for run in row.runs}
        await press(pilot, "u")
        assert {run.id: store.get(run.id) for run in store.runs()} == before

    drive(scenario, stored=fill_seeds)


def test_x_on_one_seed_deletes_that_alone() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        row = await on_seeds(app, pilot)
        await press(pilot, "e", "down", "down", "x")
        left = {run.id for run in app.library.store().runs()}
        assert {run.id for run in row.runs} - left == {row.runs[1].id}

    drive(scenario, stored=fill_seeds)


def test_r_trains_every_seed_of_a_row_again() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await on_seeds(app, pilot)
        await press(pilot, "r")
        assert [job.spec.seed for job in app.queue.waiting] == [0, 1, 2, 3, 4]

    drive(scenario, stored=fill_seeds)


def test_a_row_of_seeds_is_marked_pinned_and_opened_as_the_run_nearest_their_mean() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        row = await on_seeds(app, pilot)
        distances = {run.id: abs(run.val_accuracy - row.val_accuracy) for run in row.runs}
        nearest = min(distances, key=distances.__getitem__)
        board = app.lab.board
        await press(pilot, "space", "up", "p", "enter")
        assert [*board.marks] == [board.pinned] == [nearest]
        assert board.table.get_row_at(0)[1].plain == "◆a"
        assert isinstance(app.screen, Details)
        assert app.screen._record.id == nearest

    drive(scenario, stored=fill_seeds)


def test_a_filter_finds_a_row_of_seeds_by_the_id_of_one_run() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        row = await on_seeds(app, pilot)
        await press(pilot, "slash", *row.runs[3].id)
        assert app.lab.board.table.row_count == 1
        assert several_on(app) == row

    drive(scenario, stored=fill_seeds)


def test_the_line_below_says_means_intervals_and_who_shares_the_rank() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        row = await on_seeds(app, pilot)
        said = app.lab.board._listing.said_of(row)
        assert said.startswith(f"{row.title}, 5 seeds · validation {row.val_accuracy:.2f} ±")
        assert "95%" in said and "test" in said

    drive(scenario, stored=fill_seeds)


def test_runs_that_are_not_finished_and_other_precisions_stay_rows_of_their_own() -> None:
    store = Store(MEMORY)
    fill_seeds(store)
    failed, other = (run for run in store.runs()[:2])
    for changed in (
        replace(failed, status=Status.FAILED, id="fa11ed000000"),
        replace(other, precision="fp32", id="fb32fb32fb32"),
    ):
        store.restore(changed)
    entries = board_of(store.board()).entries
    assert sum(not row.runs for row in entries) == 3
    assert sum(len(row.runs) for row in entries) == 15


def test_a_seed_that_was_trained_twice_counts_once_by_its_last_run() -> None:
    store = Store(MEMORY)
    fill_seeds(store)
    first = store.get(next(row.id for row in store.board() if row.seed == 3))
    lucky = replace(first.epochs[-1], val_accuracy=99.0)
    later = replace(first, id="1a7e00000000", epochs=(*first.epochs[:-1], lucky))
    object.__setattr__(later, "created", first.created.replace(year=2030))
    store.restore(later)
    row = next(one for one in board_of(store.board()).entries if len(one.runs) == 6)
    assert row.by_seed[3].id == later.id
    counted = [run.val_accuracy or 0.0 for run in row.runs if run.id != first.id]
    assert row.val_accuracy == sum(counted) / 5
