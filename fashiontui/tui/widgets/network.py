"""The network part of the form: family, budget, and what the solver makes of them at once."""

from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.layout import Layout
from textual.layouts.grid import GridLayout
from textual.message import Message
from textual.widgets import Input, OptionList, RadioButton, RadioSet, Static
from textual.widgets.option_list import Option

from fashiontui.domain.budget import parse_budget, solve
from fashiontui.domain.errors import UsageError
from fashiontui.domain.plan import Network, named_network
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.shapes import FAMILIES, Shape, family_named
from fashiontui.tui.widgets.fields import BUDGET, COMPACT, Field, TypedInput, compact

PRESETS = ("10k", "20k", "37k", "50k", "100k", "200k", "500k")
BAR = 14
"""Columns of the bar that shows how much of the budget is used."""
FAMILY_WIDTH = 11
"""Least columns a family's button gets: its mark, its title and a blank."""


def offered(arch: str, budget: int) -> list[Network]:
    """Networks for a budget: the report's own where it has one, then the solver's, widest first.

    Raises:
        UsageError: the budget fits none of the family's shapes.
    """
    reported = [
        named_network(model.name)
        for model in REPORT_MODELS.values()
        if (model.arch, model.budget) == (arch, budget)
    ]
    taken = {network.shape for network in reported}
    solved = solve(family_named(arch), budget)
    return reported + [Network(None, arch, s, budget) for s in solved if s not in taken]


class BudgetInput(TypedInput):
    """Types a budget; up and down step through the presets."""

    BINDINGS = [
        Binding("up", "preset(1)", "Larger", id="budget.up", tooltip="The next larger preset"),
        Binding("down", "preset(-1)", "Smaller", id="budget.down", tooltip="The next smaller one"),
    ]
    HELP = """\
The most weights the network may have: `50000`, `50k`, `0.05M`. `↑` `↓` step through presets. Every
trainable parameter counts, biases included. The shapes below fill the budget.
"""

    def action_preset(self, by: int) -> None:
        """Step to the next preset in a direction."""
        budgets = [parse_budget(preset) for preset in PRESETS]
        try:
            now = parse_budget(self.value)
        except UsageError:
            now = 0
        beyond = [
            preset
            for preset, budget in zip(PRESETS, budgets, strict=True)
            if (budget - now) * by > 0
        ]
        if beyond:
            self.value = beyond[0 if by > 0 else -1]


class FamilyButton(RadioButton):
    """A radio button whose mark, not only its colour, says whether it is chosen."""

    BUTTON_LEFT = "("
    BUTTON_INNER = " "
    BUTTON_RIGHT = ")"
    compact = compact()

    def watch_value(self) -> None:
        """Change the mark with the value."""
        self.BUTTON_INNER = "•" if self.value else " "
        super().watch_value()


class FamilyPicker(RadioSet):
    """Families beside each other, in as many rows as they need; moving to one chooses it."""

    compact = compact()
    BINDINGS = [
        Binding("right,down", "choose(1)", "Family", id="family.next", show=False,
                tooltip="The next family"),
        Binding("left,up", "choose(-1)", "Family", id="family.previous", show=False,
                tooltip="The family before"),
    ]  # fmt: skip

    def pre_layout(self, layout: Layout) -> None:
        """Let the grid have as many columns as there is room for."""
        if isinstance(layout, GridLayout):
            layout.min_column_width = FAMILY_WIDTH
            layout.stretch_height = True

    def on_focus(self) -> None:
        """Put the cursor on the family that is chosen, which may have changed by key."""
        self._selected = self.pressed_index

    def action_choose(self, by: int) -> None:
        """Choose the next family in a direction."""
        if by > 0:
            self.action_next_button()
        else:
            self.action_previous_button()
        self.action_toggle_button()


class ShapeList(OptionList):
    """The shapes that fill a budget."""

    compact = compact()


class NetworkForm(Vertical):
    """Chooses one network and shows what it is made of."""

    @dataclass
    class Changed(Message):
        """Another network is chosen; None while the budget cannot be used."""

        network: Network | None

    def __init__(self, arch: str, budget: str, shape: Shape | None) -> None:
        """Args:
        arch: Family chosen at first.
        budget: Typed at first.
        shape: Picked at first among those offered; None for the first of them.
        """
        super().__init__()
        self.arch = arch
        self._first_budget = budget
        self._wanted = shape
        self._offered: list[Network] = []
        self.network: Network | None = None

    def compose(self) -> ComposeResult:
        """Family, budget, the shapes that fill it, and the layers of the one picked."""
        with FamilyPicker(id="family", compact=True, classes=COMPACT):
            for family in FAMILIES.values():
                button = FamilyButton(
                    family.title,
                    value=family.name == self.arch,
                    name=family.name,
                    compact=True,
                    classes=COMPACT,
                )
                button.tooltip = family.about
                yield button
        yield Field(
            "Budget",
            BudgetInput(BUDGET, self._first_budget, "like 37k"),
            "Most trainable weights; ↑ ↓ step through presets",
            self._solve,
        )
        yield ShapeList(id="shapes", compact=True, classes=COMPACT)
        yield Static(id="layers")

    @property
    def budget(self) -> str:
        """What is typed as budget."""
        return self.query_one(BudgetInput).value

    def choose(self, arch: str, budget: str, shape: Shape | None) -> None:
        """Set the form to a network, as far as it is among those offered."""
        self._wanted = shape
        if arch != self.arch:
            buttons = self.query(RadioButton)
            next(button for button in buttons if button.name == arch).value = True
        self.query_one(BudgetInput).value = budget
        self._solve_again(arch)

    def _solve(self, typed: str) -> list[Network]:
        return offered(self.arch, parse_budget(typed))

    @on(RadioSet.Changed)
    def _family_picked(self, event: RadioSet.Changed) -> None:
        event.stop()
        self._solve_again(event.pressed.name or self.arch)

    @on(Input.Changed)
    def _budget_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._solve_again(self.arch)

    @on(OptionList.OptionHighlighted)
    def _shape_picked(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_index < len(self._offered):
            self._wanted = self._offered[event.option_index].shape
            self._show(self._offered[event.option_index])

    def _solve_again(self, arch: str) -> None:
        """Offer the shapes for what is typed now, keeping the one that was picked if it can."""
        if not self.is_mounted:
            return
        self.arch = arch
        self.query_one(Field).check()
        try:
            self._offered = self._solve(self.budget)
        except UsageError as error:
            self._offered = []
            self.query_one(Field).error = str(error)
        shapes = self.query_one("#shapes", OptionList)
        shapes.clear_options()
        shapes.add_options(Option(_summary(network)) for network in self._offered)
        if not self._offered:
            self._show(None)
            return
        places = [network.shape for network in self._offered]
        place = places.index(self._wanted) if self._wanted in places else 0
        shapes.highlighted = place
        self._show(self._offered[place])

    def _show(self, network: Network | None) -> None:
        if network == self.network and network is not None:
            return
        self.network = network
        self.query_one("#layers", Static).update(_layers(network) if network else "")
        self.post_message(self.Changed(network))

    def on_mount(self) -> None:
        """Show what the first budget buys."""
        self._solve_again(self.arch)


def _summary(network: Network) -> Text:
    """One line: the shape, its weights, and whose it is."""
    family = family_named(network.arch)
    shape = "-".join(map(str, network.shape))
    whose = f" {network.model}" if network.model else ""
    return Text.assemble(f"{shape:<9}", f"{family.weights(network.shape):>9,}", (whose, "italic"))


def _layers(network: Network) -> Content:
    """A row for each layer, their sum, and how much of the budget it uses."""
    family = family_named(network.arch)
    rows = [
        f"{layer.name:<8}{'×'.join(map(str, layer.output)):>9}[b]{layer.weights:>12,}[/b]"
        for layer in family.layers(network.shape)
    ]
    weights = family.weights(network.shape)
    lines = [f"[$foreground 60%]{'layer':<8}{'output':>9}{'weights':>12}[/]", *rows]
    lines.append(f"[$foreground 60%]{'in all':<17}[/][b]{weights:>12,}[/b]")
    if network.budget:
        share = weights / network.budget
        full = min(BAR, round(BAR * share))
        over = share > 1
        colour, word = ("$text-warning", " over!") if over else ("$text-success", "")
        lines.append(
            f"[{colour}]{'━' * full}[/][$foreground 30%]{'━' * (BAR - full)}[/] "
            f"[b]{share:.1%}[/b] of {network.budget:,}[{colour}]{word}[/]"
        )
    counted = family.report_weights(network.shape)
    if counted is not None and counted != weights:
        lines.append(f"[$foreground 60%]Report's rule, no output: {counted:,}[/]")
    return Content.from_markup("\n".join(lines))
