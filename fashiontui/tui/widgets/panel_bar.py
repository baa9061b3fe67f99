"""Where one is and where one can go, on terminals that show one panel at a time."""

from textual.containers import Horizontal
from textual.widgets import Static

SHOWN = (("configure", "Configure"), ("loss", "Loss"), ("accuracy", "Accuracy"), ("board", "Board"))
"""Panels and their names; the last has tabs of its own for the others."""


class PanelBar(Horizontal):
    """A line of panels to click, each with the key that goes there."""

    def on_show(self) -> None:
        """One label a panel, where there is need of them; the stylesheet marks the one shown."""
        if self.children:
            return
        for number, (panel, name) in enumerate(SHOWN, start=1):
            self.mount(
                Static(f"[@click=screen.panel('{panel}')]{number} {name}[/]", id=f"go-{number}")
            )
        self.mount(Static("[@click=app.help]? Help[/]", id="go-help"))  # the footer may be full
