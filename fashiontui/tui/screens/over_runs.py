"""What the screens over stored runs have in common."""

from time import monotonic

from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Static


class OverRuns(Screen[None]):
    """Shows stored runs; where there are none it says what to press, and offers nothing else."""

    def action_back(self) -> None:
        """Leave the screen."""
        self.app.pop_screen()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Do nothing but leave before anything is drawn: keys may be typed ahead."""
        return action == "back" or (self.is_mounted and self.offers(action))

    def offers(self, action: str) -> bool:
        """Whether there is something for an action of the screen to act on."""
        return not self.has_class("-empty")


class Stopwatch:
    """Seconds since it was last looked at."""

    def __init__(self) -> None:
        self._looked = 0.0

    def lap(self) -> float:
        """Look at it; what the first look returns says nothing."""
        before, self._looked = self._looked, monotonic()
        return self._looked - before


def way_back(screen: str, tooltip: str = "Back to the lab") -> Binding:
    """The key that leaves a screen."""
    return Binding("escape", "back", "Back", id=f"{screen}.back", key_display="esc",
                   tooltip=tooltip)  # fmt: skip


def title_line(id: str) -> Static:  # noqa: A002  # Textual's name
    """The line at the top that says what is shown."""
    return Static(id=id, classes="title-line", markup=False)


def empty_state(sentence: str) -> Static:
    """What to press, in the middle of a screen that has nothing to show."""
    return Static(sentence, classes="empty", markup=False)
