"""The form of a study: which one goes on, or what a new one searches, and when it is over."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button

from fashiontui import paths
from fashiontui.domain.budget import parse_budget
from fashiontui.domain.errors import UsageError
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.shapes import FAMILIES
from fashiontui.domain.space import load_space
from fashiontui.domain.spec import DatasetName
from fashiontui.domain.study import Limits, StudySpec, plan_study
from fashiontui.tui.choice import Choice
from fashiontui.tui.studies import SAMPLERS
from fashiontui.tui.widgets.fields import BUDGET, NUMBER, WHOLE, Field, TypedInput
from fashiontui.tui.widgets.picker import Picker

NEW = ""
"""Value of the study field for one that is yet to begin: no study is called so."""
USUAL_TRIALS = "40"
ACCURACY = "accuracy"
_ASKED = ("arch", "budget", "against", "sampler")
"""Fields of a new study alone."""


class StudyForm(Vertical):
    """What to search, and for how long."""

    class Picked(Message):
        """Another study was picked."""

    def __init__(self, choice: Choice) -> None:
        """Args:
        choice: What the lab's form has.
        """
        super().__init__(id="study-form")
        self._choice = choice

    def compose(self) -> ComposeResult:
        """The fields, and a button."""
        choice = self._choice
        families = [(family.title, name) for name, family in FAMILIES.items()]
        against = [("nothing", ACCURACY), ("weights", "weights"), ("time", "time")]
        samplers = [(title, name) for name, title in SAMPLERS.items()]
        studies = Picker([("new", NEW)])
        studies.prompt = "new"
        yield self._field("study", "Study", studies,
                          "A study that goes on, or a new one")  # fmt: skip
        yield self._field("arch", "Family", Picker(families, choice.arch),
                          "Whose shapes are searched")  # fmt: skip
        yield self._field("budget", "Budget", TypedInput(BUDGET, choice.budget), "Most weights")
        yield self._field("against", "Against", Picker(against, ACCURACY),
                          "What is to be low while accuracy is to be high")  # fmt: skip
        yield self._field("sampler", "Sampler", Picker(samplers, "tpe"),
                          "How trials are drawn")  # fmt: skip
        yield self._field("trials", "Trials", TypedInput(WHOLE, USUAL_TRIALS, "no end"),
                          "Trials of the study in all")  # fmt: skip
        yield self._field("target", "Target %", TypedInput(NUMBER, "", "none"),
                          "Test accuracy that ends the search")  # fmt: skip
        with Horizontal(id="study-go"):
            yield Button("Train  t", id="start", variant="primary", compact=True)

    def _field(self, name: str, label: str, control: TypedInput | Picker, help_text: str) -> Field:
        check = {"budget": parse_budget, "trials": parse_trials, "target": parse_target}.get(name)
        field = Field(label, control, help_text, check)
        field.id = f"study-{name}"
        return field

    def field(self, name: str) -> Field:
        """The field of that name."""
        return self.query_one(f"#study-{name}", Field)

    @property
    def picked(self) -> str | None:
        """Name of the study that is picked; None for a new one."""
        return self.field("study").control.value or None

    def offer(self, names: Sequence[str], picked: str | None) -> None:
        """Offer these studies, and pick one."""
        control = self.field("study").control
        assert isinstance(control, Picker)
        with self.prevent(Picker.Changed):
            control.set_options([("new", NEW), *((name, name) for name in names)], picked or NEW)
        self._close_fields()

    @on(Picker.Changed, "#study-study Picker")
    def _another(self) -> None:
        self._close_fields()
        self.post_message(self.Picked())

    def _close_fields(self) -> None:
        for name in _ASKED:
            self.field(name).control.disabled = self.picked is not None

    def describe(self, spec: StudySpec) -> None:
        """Show what the study searches that is picked."""
        self.field("arch").value = spec.arch
        self.field("budget").value = f"{spec.budget:,}"
        self.field("against").value = spec.against or ACCURACY
        self.field("sampler").value = spec.sampler

    def go_to(self, name: str) -> None:
        """Give a field the focus."""
        self.field(name).control.focus()

    def limits(self) -> Limits:
        """When the study is over, as typed.

        Raises:
            UsageError: one of the limits cannot be used.
        """
        trials, target = self.field("trials").value, self.field("target").value
        return Limits(
            parse_trials(trials) if trials else None,
            parse_target(target) if target else None,
        )

    def planned(self, dataset: DatasetName, lab: Choice) -> StudySpec:
        """A new study of what the form says, with the lab's recipe, device and precision.

        Raises:
            UsageError: it cannot be searched.
        """
        against = self.field("against").value
        return plan_study(
            self.field("arch").value,
            parse_budget(self.field("budget").value),
            load_space(None),
            load_recipe(lab.recipe, paths.recipe_folder()),
            against=None if against == ACCURACY else against,
            sampler=self.field("sampler").value,
            dataset=dataset,
            device=lab.device,
            precision=lab.precision,
        )


def parse_trials(text: str) -> int:
    """A number of trials.

    Raises:
        UsageError: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) > 0):
        raise UsageError(f"Trials: give a number from 1 to 999999, not {text[:20]!r}.")
    return int(text)


def parse_target(text: str) -> float:
    """A test accuracy in percent.

    Raises:
        UsageError: it is none.
    """
    try:
        target = float(text)
    except ValueError:
        target = 0.0
    if not 0 < target < 100:
        raise UsageError(f"Target: give a percentage between 0 and 100, not {text[:20]!r}.")
    return target
