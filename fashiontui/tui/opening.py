"""The screens over stored runs, imported when they are first opened."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from fashiontui.domain.board import BoardRow, live_row
from fashiontui.domain.history import History
from fashiontui.domain.plan import Network, solved_network
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import RunSpec
from fashiontui.tui.library import Library
from fashiontui.tui.messages import TrainRequested
from fashiontui.tui.terminal import is_shaded
from fashiontui.tui.widgets.chart import Marker

if TYPE_CHECKING:
    from fashiontui.domain.pareto import Suggestion


class Opening:
    """Makes screens from runs that were read for them."""

    def __init__(
        self,
        library: Library,
        folders: Sequence[Path],
        marker: Marker,
        live: Callable[[], History],
    ) -> None:
        """Args:
        library: The stored runs.
        folders: Where Fashion-MNIST may lie.
        marker: How curves are drawn; pictures without colours where it is a plain one.
        live: What the run under way has told.
        """
        self._library = library
        self._folders = folders
        self._marker = marker
        self._live = live

    def screen(self, name: str, records: Sequence[RunRecord]) -> Screen[None]:
        """A screen over runs.

        Args:
            name: details, predict, mistakes, race, replay or weights.
            records: The runs, with their predictions; those over one run show the first.

        Raises:
            UsageError: the runs do not have what it shows.
        """
        shaded = is_shaded(self._marker)
        match name:
            case "details":
                from fashiontui.tui.screens.details import Details

                return Details(records[0])
            case "predict":
                from fashiontui.tui.screens.predict import Predict

                return Predict(records[0], self._library, self._folders, shaded)
            case "mistakes":
                from fashiontui.tui.screens.mistakes import Mistakes

                return Mistakes(records, self._folders, shaded)
            case "race":
                from fashiontui.tui.screens.race import Race

                return Race(records, self._live, self._marker)
            case "replay":
                from fashiontui.domain.replay import replay_of
                from fashiontui.tui.screens.replay import ReplayScreen

                return ReplayScreen(replay_of(records[0]) if records else None, self._marker)
            case "weights":
                from fashiontui.tui.screens.weights import Weights

                return Weights(records, self._library.weights_of, self._folders, shaded)
        raise AssertionError(name)

    def pareto(
        self,
        rows: Sequence[BoardRow],
        open_run: Callable[[str], object],
        specs: Callable[[list[Network]], list[RunSpec]],
    ) -> Screen[None]:
        """The plot of accuracy against cost.

        Args:
            rows: The runs on one data set.
            open_run: Shows the run of an id.
            specs: Makes runs of a network that the plot suggests, with everything else as the form
                has it.
        """
        from fashiontui.tui.screens.pareto import Pareto

        def live() -> BoardRow | None:
            history = self._live()
            return live_row(history) if history.under_way else None

        def request(suggested: "Suggestion") -> TrainRequested:
            return TrainRequested(specs([solved_network(suggested.arch, suggested.budget)]))

        return Pareto(rows, live, open_run, request, self._marker)


def asked_for(name: str, rows: Sequence[BoardRow], stored: Sequence[BoardRow]) -> list[str]:
    """Ids of the runs that a screen is about: a race is between all seeds of what was chosen.

    Args:
        name: Of the screen.
        rows: What was chosen.
        stored: Every stored run.
    """
    chosen = [row.id for row in rows]
    if name == "race":
        trained = {row.configuration for row in rows} - {""}
        others = (row.id for row in stored if row.configuration in trained)
        chosen += [run_id for run_id in others if run_id not in chosen]
    return chosen
