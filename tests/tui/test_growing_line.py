"""The line that grows looks as plotext draws it, whatever came when."""

from hypothesis import given, settings
from hypothesis import strategies as st
from textual_plotext.plot import Plot

from fashiontui.tui.widgets.drawing import cells
from fashiontui.tui.widgets.growing_line import Area, GrowingLine, Points

AREA = Area(0.0, 12.0, 0.2, 1.9, 23, 9)
values = st.floats(0.1, 2.0)
markers = st.sampled_from(["braille", "hd", "fhd", "·", "."])


@st.composite
def curves(draw: st.DrawFn) -> Points:
    """Points in ascending order, some of them above or below the canvas."""
    xs = sorted(draw(st.lists(st.floats(0.0, 12.0), min_size=1, max_size=30, unique=True)))
    return [(x, draw(values)) for x in xs]


def drawn_at_once(points: Points, marker: str) -> list[list[str]]:
    """What plotext makes of the whole line."""
    plot = Plot()
    plot.frame(False)
    plot.xticks([], [])
    plot.yticks([], [])
    plot.xaxes(False, False)
    plot.yaxes(False, False)
    plot.xlim(AREA.left, AREA.right)
    plot.ylim(AREA.bottom, AREA.top)
    xs, ys = zip(*points, strict=True)
    plot.plot([*xs], [*ys], marker=marker)
    return [[char for char, _ in row] for row in cells(plot, AREA.columns, AREA.lines)]


def shown(line: GrowingLine) -> list[list[str]]:
    return [[cell[0] if cell else " " for cell in row] for row in line.rows]


@settings(max_examples=15, deadline=None)
@given(ys=st.lists(values, min_size=40, max_size=90), marker=markers, part=st.floats(0.01, 0.4))
def test_many_points_in_few_columns_are_drawn_as_if_each_counted(
    ys: list[float], marker: str, part: float
) -> None:
    points = [(part * AREA.right * at / len(ys), y) for at, y in enumerate(ys)]
    line = GrowingLine(AREA, marker, (1, 2, 3))
    for at in range(1, len(ys) + 1):
        line.grow(points[:at])
    assert shown(line) == drawn_at_once(points, marker)


@settings(max_examples=25, deadline=None)
@given(points=curves(), marker=markers, data=st.data())
def test_a_line_drawn_bit_by_bit_is_the_line_drawn_at_once(
    points: Points, marker: str, data: st.DataObject
) -> None:
    line = GrowingLine(AREA, marker, (1, 2, 3))
    at = 0
    while at < len(points):
        at += data.draw(st.integers(1, 5))
        line.grow(points[:at])
    assert shown(line) == drawn_at_once(points, marker)


@settings(max_examples=25, deadline=None)
@given(before=curves(), after=curves(), kept=st.integers(0, 30), marker=markers)
def test_a_line_whose_points_were_thinned_out_leaves_nothing_behind(
    before: Points, after: Points, kept: int, marker: str
) -> None:
    line = GrowingLine(AREA, marker, (1, 2, 3))
    line.grow(before)
    start = before[:kept]
    new = [*start, *(point for point in after if not start or point[0] > start[-1][0])]
    line.grow(new)
    assert shown(line) == drawn_at_once(new, marker)


def test_only_the_rows_that_look_different_are_told() -> None:
    line = GrowingLine(AREA, "braille", (1, 2, 3))
    first = line.grow([(0.0, 1.0), (6.0, 1.0)])
    assert len(first) == 1
    assert line.grow([(0.0, 1.0), (6.0, 1.0)]) == set()
    assert line.grow([(0.0, 1.0), (6.0, 1.0), (8.0, 1.0)]) == first
