"""The charts of a study: its trials as they came and along one parameter, and importances."""

from textual.app import RenderResult
from textual.widget import Widget

from fashiontui.domain.study import StudyView
from fashiontui.tui.studies import best_dots, by_importance, importance_bars, slice_axis, slice_dots
from fashiontui.tui.widgets.chart import Marker
from fashiontui.tui.widgets.dots import Axis, Dots

EMPTY = "No trial yet: t starts the study."
NAME_WIDTH = 22
"""Columns of a parameter's name and share, before its bar."""


class BestChart(Dots):
    """Trials by number with the best so far, or by their cost with the Pareto set."""

    def __init__(self, marker: Marker) -> None:
        """Args:
        marker: How lines are drawn.
        """
        super().__init__(EMPTY, "best", marker)
        self.border_title = "2 Validation % by trial"

    def draw(self, view: StudyView | None, here: int | None) -> None:
        """Draw a study's trials.

        Args:
            view: The study.
            here: Number of the trial to point at.
        """
        if view is None or not view.trials:
            self.show([], Axis(0, 1))
            return
        self.border_title = f"2 Validation % by {view.spec.against or 'trial'}"
        self.show(*best_dots(view, here))


class SliceChart(Dots):
    """Trials along one parameter, the most important one unless another is turned to."""

    def __init__(self, marker: Marker) -> None:
        """Args:
        marker: How lines are drawn.
        """
        super().__init__(EMPTY, "slice", marker)
        self.border_title = "3 Slice"
        self._along = 0

    def turn(self, by: int) -> None:
        """Slice along another parameter from now on."""
        self._along += by

    def draw(self, view: StudyView | None, here: int | None) -> None:
        """Draw a study's trials.

        Args:
            view: The study.
            here: Number of the trial to point at.
        """
        if view is None or not view.trials:
            self.show([], Axis(0, 1))
            return
        names = by_importance(view)
        name = names[self._along % len(names)]
        share = (view.importances or {}).get(name)
        told = f" ({share:.0%})" if share is not None else ""
        self.border_title = f"3 Slice: {name.replace('_', ' ')}{told}"
        self.show(slice_dots(view, name, here), slice_axis(view, name))


class Importances(Widget):
    """A bar for each parameter, as long as there is room."""

    def __init__(self) -> None:
        super().__init__(id="importances", classes="panel")
        self.border_title = "5 Importances"
        self._view: StudyView | None = None

    def draw(self, view: StudyView | None) -> None:
        """Draw a study's importances."""
        self._view = view
        self.refresh()

    def render(self) -> RenderResult:
        """The bars."""
        return importance_bars(self._view, max(10, self.content_size.width - NAME_WIDTH))
