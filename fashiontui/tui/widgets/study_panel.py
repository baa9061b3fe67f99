"""How the study on the screen stands; the form to pick, begin and limit one opens in its place."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from fashiontui.domain.study import Limits, StudyView
from fashiontui.tui.choice import Choice
from fashiontui.tui.studies import searched
from fashiontui.tui.widgets.study_form import StudyForm

USUAL_LIMITS = Limits(trials=40, target=None)


class StudyPanel(VerticalScroll):
    """A few lines on a study. The form is made when it is asked for: it is slow to make."""

    HELP = """\
`1` opens the form, `n` does for a new study, `esc` closes it. Pick a study to go on with, or *new*:
a family and a budget, whose shapes the solver finds. What else is searched is the built-in space
around the lab's recipe; `fashiontui tune --space FILE.toml` begins a study with a space of your
own, which goes on here. Against *weights* or *time* a study ends in a Pareto set.

`t` trains trials until there are so many in all, or until validation lies one point above the
target; then the test set is scored for the trial that is chosen. `p` pauses after the trial under
way, `s` stops it at once, to be continued. Trials take turns with the lab's other runs.
"""

    def __init__(self, choice: Choice) -> None:
        """Args:
        choice: What the lab's form has.
        """
        super().__init__(id="study", classes="panel", can_focus=False)
        self._choice = choice
        self._form: StudyForm | None = None
        self._names: Sequence[str] = ()
        self._view: StudyView | None = None
        self._standing = ""
        self.border_title = "1 Study"

    def compose(self) -> ComposeResult:
        """The lines."""
        yield Static(id="study-says", markup=False)

    @property
    def form(self) -> StudyForm | None:
        """The form, while it is open."""
        return self._form if self._form is not None and self._form.display else None

    @property
    def picked(self) -> str | None:
        """Name of the study that is picked; None for a new one."""
        return self.form.picked if self.form else self._shown

    async def ask(self, new: bool = False) -> StudyForm:
        """Open the form.

        Args:
            new: Whether for a new study.
        """
        if self._form is None:
            self._form = StudyForm(self._choice)
            await self.mount(self._form, before="#study-says")
        self._form.display = True
        self._form.offer(self._names, None if new else self._shown)
        self._draw()
        self._form.go_to("arch" if new else "study")
        return self._form

    def close(self) -> None:
        """Close the form; what it has is kept."""
        if self._form is not None:
            self._form.display = False
            self._draw()

    def show(self, names: Sequence[str], view: StudyView | None, standing: str) -> None:
        """Show what a study searches, and how it stands.

        Args:
            names: Of all studies.
            view: The one that is picked; None for a new one.
            standing: How it stands.
        """
        self._names, self._view, self._standing = names, view, standing
        if self.form:
            self.form.offer(names, self._shown)
        self._draw()

    def limits(self) -> Limits:
        """When the study is over, as it was typed last.

        Raises:
            UsageError: what was typed cannot be used.
        """
        return self._form.limits() if self._form is not None else USUAL_LIMITS

    @property
    def _shown(self) -> str | None:
        return self._view.name if self._view else None

    def _draw(self) -> None:
        view, lines = self._view, Text()
        if self.form and view:
            self.form.describe(view.spec)
        elif view:
            lines.append_text(searched(view)).append("\n\n")
        lines.append(self._standing)
        if not self.form:
            lines.append("\n\n1 another, more trials; n new" if view else "")
        self.query_one("#study-says", Static).update(lines)
