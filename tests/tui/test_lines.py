"""Lines that are replaced many times a second."""

from typing import Any

from driving import drive, settle, until
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from scripted import ScriptedApp, named_network, spec_of
from textual.pilot import Pilot
from textual.widgets import Static

from fashiontui.tui.widgets.lines import PLAIN, strip, width_of
from fashiontui.tui.widgets.run_line import RunLine
from fashiontui.tui.widgets.status_line import StatusLine

pieces = st.lists(st.tuples(st.text("ab é語", max_size=6), st.just(PLAIN)), max_size=5)


@given(pieces, st.integers(1, 20))
def test_a_line_is_as_wide_as_asked_and_says_where_it_was_cut(
    line: list[tuple[str, Style]], width: int
) -> None:
    drawn = strip(line, width, PLAIN)
    assert drawn.cell_length == width
    assert drawn.text.rstrip().endswith("…") == (width_of(line) > width)


def test_a_run_under_way_follows_the_theme() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("fcn-100k")), 3)
        curves = app.lab.charts.loss.curves
        await until(pilot, lambda: bool(curves.series))
        await settle(pilot)

        def colours() -> list[object]:
            line, legend = app.lab.query_one(RunLine), app.lab.charts.loss._legend
            return [line.lines[0][0][1].color, legend.lines[0][0][1].color]

        before = colours()
        app.theme = "atelier-light"
        await settle(pilot)
        after = colours()
        assert all(old != new for old, new in zip(before, after, strict=True))

    drive(scenario)


def test_what_is_said_with_nothing_training_follows_the_theme_too() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        line = app.lab.query_one(RunLine)
        before = line.lines[0][0][1].color
        app.theme = "atelier-light"
        await settle(pilot)
        assert line.lines[0][0][1].color != before

    drive(scenario)


def test_the_status_line_tells_of_another_run_and_epoch_at_once() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        line = app.lab.query_one(StatusLine).query_one("#running", Static)
        app.play(spec_of(named_network("fcn-100k"), epochs=6), 2)
        await until(pilot, lambda: "epoch 3/6" in str(line.content))
        app.play(spec_of(named_network("fcn-100k"), epochs=6), 5)
        await until(pilot, lambda: "epoch 6/6" in str(line.content))

    drive(scenario)
