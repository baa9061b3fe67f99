"""Help on what has the focus: what it is, and the keys that work there."""

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Markdown, Static

FIRST_STEPS = """\
Pick a family and a budget in panel 1, press `t`, watch the network learn, and see it take its place
on the leaderboard. Everything the app can do is also in the palette: `ctrl+p`.
"""


class Help(ModalScreen[None]):
    """A page over the screen it explains."""

    CSS_PATH = "help.tcss"
    BINDINGS = [
        Binding("escape,question_mark,q", "dismiss", "Close", id="help.close", key_display="esc",
                tooltip="Back to where you were"),
    ]  # fmt: skip

    def __init__(self, about: str, keys: Table) -> None:
        """Args:
        about: Markdown on what has the focus.
        keys: The keys that work there and what they do.
        """
        super().__init__()
        self._about = about
        self._keys = keys

    def compose(self) -> ComposeResult:
        """What it is, then its keys."""
        with VerticalScroll(id="help") as page:
            page.border_title = "Help"
            page.border_subtitle = "esc closes"
            yield Markdown(self._about)
            yield Static("Keys that work here", classes="heading")
            yield Static(self._keys, id="keys")


def help_on(screen: Screen[object]) -> Help:
    """The page for what has the focus on a screen."""
    focused = screen.focused or screen
    texts = [node.HELP for node in focused.ancestors_with_self if getattr(node, "HELP", None)]
    about = "\n\n".join(text for text in texts if text) or FIRST_STEPS
    if FIRST_STEPS not in about:
        about = f"{about}\n\n{FIRST_STEPS}"
    return Help(about, _table(screen))


def _table(screen: Screen[object]) -> Table:
    """Keys and what they do, the focused widget's own first."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    keys: dict[str, list[str]] = {}
    for active in _nearest_first(screen):
        binding = active.binding
        does = binding.tooltip or binding.description
        if does and not binding.system:
            keys.setdefault(does, []).append(screen.app.get_key_display(binding))
    for does, pressed in keys.items():
        table.add_row(Text(" ".join(dict.fromkeys(pressed))), Text(does))
    return table


def _nearest_first(screen: Screen[object]) -> list[ActiveBinding]:
    """Active bindings, those with an id of ours before Textual's own."""
    active = [binding for binding in screen.active_bindings.values() if binding.enabled]
    return sorted(active, key=lambda one: one.binding.id is None)
