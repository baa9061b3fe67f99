"""The Pareto screen: every key of it, the moving point, what it suggests."""

from typing import Any

from driving import drive, opened, press, until
from scripted import ScriptedApp, named_network, spec_of
from textual.pilot import Pilot
from textual.widgets import Static

from fashiontui.tui.screens.details import Details
from fashiontui.tui.screens.lab import LabScreen
from fashiontui.tui.screens.pareto import Pareto


def said(app: ScriptedApp, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


def test_v_begins_at_the_best_of_the_frontier_and_enter_opens_its_run() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, Pareto, "v")
        assert "cnn-50k (CNN, best) on the frontier" in said(app, "#point-says")
        assert "5,657,540 multiply-adds" in said(app, "#point-says")
        await press(pilot, "enter")
        assert isinstance(app.screen, Details)
        await press(pilot, "escape", "escape")
        assert isinstance(app.screen, LabScreen)

    drive(scenario)


def test_arrows_move_by_cost_and_along_the_frontier() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        screen = await opened(pilot, Pareto, "v")
        await press(pilot, "down")
        assert screen._chosen == screen._frontier[-2]
        await press(pilot, "up", "right")
        at = screen._points.index(screen._frontier[-1])
        assert screen._chosen == screen._points[at + 1]
        await press(pilot, "left", "left")
        assert screen._chosen == screen._points[at - 1]

    drive(scenario)


def test_x_and_y_change_what_is_drawn_and_h_hides_the_reports_points() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, Pareto, "v")
        assert "validation accuracy % against weights" in said(app, "#pareto-title")
        await press(pilot, "x")
        assert "against training time" in said(app, "#pareto-title")
        await press(pilot, "x", "y")
        assert "test accuracy % against multiply-adds" in said(app, "#pareto-title")
        assert any(point.is_report for point in app.screen._points)
        await press(pilot, "h")
        assert not any(point.is_report for point in app.screen._points)

    drive(scenario)


def test_the_reports_point_has_no_run_to_open() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, Pareto, "v")
        await press(pilot, *["left"] * 9, "enter")
        assert app.screen._chosen.is_report
        assert "the report's; no finished run" in "".join(n.message for n in app._notifications)

    drive(scenario)


def test_t_trains_what_is_suggested() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await opened(pilot, Pareto, "v")
        suggested = app.screen._suggestion
        assert f"of {suggested.budget:,} weights" in said(app, "#suggestion")
        await press(pilot, "t")
        [job] = app.queue.waiting
        assert (job.spec.arch, job.spec.budget) == (suggested.arch, suggested.budget)

    drive(scenario)


def test_the_run_under_way_is_a_point_that_moves() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("cnn-100k"), "best", epochs=12), 7)
        await opened(pilot, Pareto, "v")
        [live] = [point for point in app.screen._points if point.is_live]
        assert live.val_accuracy == app.lab.history.epochs[-1].val_accuracy
        app.lab.history.epochs.pop()
        await until(pilot, lambda: live not in app.screen._points)

    drive(scenario)


def test_with_no_run_it_says_what_to_press() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab._rows = ()
        await opened(pilot, Pareto, "v")
        await press(pilot, "left", "enter")
        assert app.screen.query_one(".empty").display

    drive(scenario)
