"""Charts: axis, zoom, readings by key and mouse, and the runs drawn beside the one under way."""

from typing import Any

import pytest
from driving import drive, press, settle, until
from scripted import ScriptedApp, named_network, spec_of
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from fashiontui.tui.choice import Choice
from fashiontui.tui.widgets.chart import Chart, Curves
from fashiontui.tui.widgets.charts import Charts
from fashiontui.tui.widgets.series import View


def looks(app: ScriptedApp) -> list[str]:
    """How the curves of the loss chart look."""
    return [series.look for series in app.lab.charts.loss.curves.series]


def test_space_marks_and_p_pins_a_run_for_the_charts() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        board = app.lab.board
        await press(pilot, "4", "h", "space", "down", "p", "up")
        await until(
            pilot, lambda: looks(app) == ["pinned", "pinned", "a", "a"]
        )  # validation and training loss
        assert board.table.get_row_at(0)[1].plain == "a"
        await press(pilot, "space")
        await until(pilot, lambda: looks(app) == ["pinned", "a", "b"])  # of three, validation alone
        await press(pilot, "p")
        await until(pilot, lambda: looks(app) == ["a", "a", "b", "b"])
        assert board.pinned is None

    drive(scenario)


def test_a_run_both_marked_and_pinned_is_drawn_once() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "p", "space")
        await until(pilot, lambda: looks(app) == ["pinned", "pinned"])

    drive(scenario)


def legend_of(chart: Chart) -> str:
    """What the legend over a chart says."""
    return "\n".join("".join(text for text, _ in line) for line in chart.legend())


async def watch_eight_epochs(app: ScriptedApp, pilot: Pilot[Any]) -> None:
    """A CNN in its ninth epoch of twelve is on the screen."""
    app.play(spec_of(named_network("cnn-50k"), "best", epochs=12), 8)
    curves = app.lab.charts.loss.curves
    await until(pilot, lambda: len(curves.series) > 1 and len(curves.series[1].points) == 8)
    charts = app.lab.query(Curves)
    await until(pilot, lambda: any(curves._plotted[1] == 12 for curves in charts))


def test_zoom_and_cursor_change_both_charts() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await watch_eight_epochs(app, pilot)
        await press(pilot, "plus", "3", "left")
        charts = app.lab.charts
        assert charts.loss.view == charts.accuracy.view
        assert charts.view.window == (2.0, 8.0)  # up to the newest epoch
        assert charts.view.cursor == 8
        await press(pilot, "left", "0", "escape")
        assert charts.view == View()

    drive(scenario)


def test_the_window_follows_the_cursor() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await watch_eight_epochs(app, pilot)
        await press(pilot, "plus", "plus", "2", *["left"] * 5)
        view = app.lab.charts.view
        assert view.cursor == 4
        assert view.window == (4.0, 7.0)

    drive(scenario)


@pytest.mark.parametrize(("panel", "other"), [("2", "3"), ("3", "2")])
def test_y_changes_the_axis_of_the_chart_one_went_to(panel: str, other: str) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await watch_eight_epochs(app, pilot)
        charts = {"2": app.lab.charts.loss, "3": app.lab.charts.accuracy}
        await press(pilot, panel, "1", "y")  # from elsewhere it still acts on that chart
        assert charts[panel].logarithmic and not charts[other].logarithmic
        assert charts[panel].border_subtitle == "y linear axis"
        assert charts[other].border_subtitle == ""
        await press(pilot, "y")
        assert not charts[panel].logarithmic

    drive(scenario)


def test_the_logarithmic_accuracy_chart_shows_errors() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await watch_eight_epochs(app, pilot)
        chart = app.lab.charts.accuracy
        newest = chart.curves.series[0].points[-1][1]
        assert f"{newest:.2f}" in legend_of(chart)
        await press(pilot, "3", "y")
        assert "error %" in str(chart.border_title)
        assert f"{100 - newest:.2f}" in legend_of(chart)

    drive(scenario)


def place_of(app: ScriptedApp, chart: Chart, epoch: float) -> tuple[int, int]:
    """Where in a chart's drawing an epoch is."""
    curves = chart.curves
    left, right = curves._plotted
    columns = curves.size.width - curves._offset - 1
    return curves._offset + round(columns * (epoch - left) / (right - left)), 4


@pytest.mark.parametrize("panel", ["loss", "accuracy"])
def test_the_mouse_reads_values_on_both_charts(panel: str) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await watch_eight_epochs(app, pilot)
        chart = app.lab.query_one(f"#{panel}", Chart)
        await pilot.hover(chart.curves, offset=place_of(app, chart, 5))
        await settle(pilot)
        assert app.lab.charts.view.read == 5
        assert "epoch 5" in legend_of(chart)
        await pilot.hover("#configure")
        await settle(pilot)
        assert app.lab.charts.view.read is None
        await pilot.click(chart.curves, offset=place_of(app, chart, 3))
        await pilot.hover("#configure")
        await settle(pilot)
        assert app.lab.charts.view.read == 3
        assert app.focused is chart.curves

    drive(scenario)


def test_the_wheel_zooms_around_the_mouse_once_a_chart_has_the_focus() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await watch_eight_epochs(app, pilot)
        chart = app.lab.charts.loss
        place = place_of(app, chart, 4)
        await pilot._post_mouse_events([MouseScrollUp], chart.curves, offset=place)
        assert app.lab.charts.view.window is None
        await pilot.click(chart.curves, offset=place)
        await pilot._post_mouse_events([MouseScrollUp], chart.curves, offset=place)
        assert app.lab.charts.view.window == (1.0, 7.0)
        await pilot._post_mouse_events([MouseScrollDown], chart.curves, offset=place)
        assert app.lab.charts.view.window is None

    drive(scenario)


def test_charts_of_a_stored_run_zoom_and_read_too() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "enter", "y", "plus")
        charts = app.screen.query_one(Charts)
        assert charts.loss.logarithmic
        assert charts.view.window is not None
        charts.accuracy.curves.focus()
        await press(pilot, "left", "y")
        assert charts.view.cursor is not None
        assert charts.accuracy.logarithmic

    drive(scenario)


def test_a_pinned_run_is_drawn_at_the_next_start_with_nothing_running() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        accuracy = app.lab.charts.accuracy.curves
        await until(pilot, lambda: [s.label for s in accuracy.series] == ["pinned cnn-20k"])
        assert "◆" in legend_of(app.lab.charts.loss)

    drive(scenario, choice=Choice(pinned=f"{2:012x}"))


def test_a_baseline_deleted_since_the_last_start_is_forgotten() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        assert app.lab.board.pinned is None
        assert not app._notifications

    drive(scenario, choice=Choice(pinned="f" * 12))


def test_deleting_the_pinned_run_unpins_it() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "p", "x")
        await until(pilot, lambda: app.lab.charts.loss.curves.series == [])
        assert app.lab.board.pinned is None

    drive(scenario)


@pytest.mark.parametrize("panel", ["2", "3"])
def test_one_can_go_to_a_chart_before_there_is_a_curve(panel: str) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, panel)
        await watch_eight_epochs(app, pilot)
        await press(pilot, "left")
        assert app.lab.charts.view.cursor == 8

    drive(scenario, size=(60, 20))


def test_the_axes_are_labelled_before_the_first_epoch_has_ended() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("cnn-50k"), "best", epochs=12), 0)
        curves = app.lab.charts.loss.curves
        await until(pilot, lambda: bool(curves.series) and curves._plotted[1] == 12)
        lines = ["".join(text for text, *_ in line) for line in curves._lines]
        assert "┤" in "".join(lines[:-2])
        assert lines[-1].split()[0] == "0"

    drive(scenario)
