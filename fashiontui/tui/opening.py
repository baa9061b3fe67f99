"""The screens over stored runs, imported when they are first opened."""

from collections.abc import Callable, Sequence
from pathlib import Path

from textual.screen import Screen

from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.replay import replay_of
from fashiontui.tui.terminal import is_shaded
from fashiontui.tui.widgets.chart import Marker

SCREENS = ("mistakes", "race", "replay", "weights")
"""Each acts on the marked runs, or on the one under the board's cursor."""


def screen_of(
    name: str,
    records: Sequence[RunRecord],
    live: Callable[[], History],
    weights_of: Callable[[str], Path | None],
    folders: Sequence[Path],
    marker: Marker,
) -> Screen[None]:
    """A screen over runs.

    Args:
        name: One of ``SCREENS``.
        records: The runs, with their predictions.
        live: What the run under way has told.
        weights_of: The file of a run's weights, where there is one.
        folders: Where Fashion-MNIST may lie.
        marker: How curves are drawn; pictures without colours where it is a plain one.

    Raises:
        UsageError: the runs do not have what it shows.
    """
    shaded = is_shaded(marker)
    match name:
        case "mistakes":
            from fashiontui.tui.screens.mistakes import Mistakes

            return Mistakes(records, folders, shaded)
        case "race":
            from fashiontui.tui.screens.race import Race

            return Race(records, live, marker)
        case "replay":
            from fashiontui.tui.screens.replay import ReplayScreen

            return ReplayScreen(replay_of(records[0]) if records else None, marker)
        case "weights":
            from fashiontui.tui.screens.weights import Weights

            return Weights(records, weights_of, folders, shaded)
    raise AssertionError(name)
