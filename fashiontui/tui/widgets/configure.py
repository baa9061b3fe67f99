"""Panel 1: which network to train, how and where."""

from typing import TYPE_CHECKING

from msgspec import structs
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from fashiontui import paths
from fashiontui.domain.errors import UsageError
from fashiontui.domain.plan import Network, parse_seeds, plan
from fashiontui.domain.recipe import NO_TEACHER, Recipe, Settings, load_recipe, recipe_names
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.shapes import family_named
from fashiontui.domain.spec import DatasetName, RunSpec
from fashiontui.domain.text import printable
from fashiontui.tui.choice import Choice
from fashiontui.tui.messages import Device, TeachersRead, TeachersWanted, TrainRequested
from fashiontui.tui.text import plain
from fashiontui.tui.widgets.fields import SEEDS, Field, TypedInput
from fashiontui.tui.widgets.network import NetworkForm
from fashiontui.tui.widgets.picker import Picker
from fashiontui.tui.widgets.settings import (
    FINER,
    KERNELS,
    MAIN,
    TEACHER,
    TEACHER_HELP,
    SettingsGroup,
    TrainingSettings,
    teacher_options,
)

if TYPE_CHECKING:  # SQLAlchemy is not needed to paint
    from fashiontui.store.teachers import Teachers

LOOKING = "looking"
"""Value of the device field until torch has said which devices there are."""


class LineButton(Button, inherit_css=False):
    """A button of one line; of all its widgets Textual has most rules for buttons to be read."""


class Configure(VerticalScroll):
    """The form; what is left empty is the recipe's."""

    HELP = """\
Pick a family and a budget; the shapes that fill it, their layers and exact weights follow as you
type. A recipe gives every training setting; what you set under *training settings* and *finer
settings* (`enter` unfolds them) replaces it for this run. Seeds are a count (`3`: seeds 0 to 2), a
range (`0-4`) or a list (`3,7`); `t` trains this network once for each, `a` queues the report's
seven models. `f2` to `f8` fill in one of the seven. A *teacher* is one of your runs, or several:
networks learn its answers in place of the labels. The best are listed; `T` on the board takes the
marked ones. Letters stay shortcuts while a number field has the focus.
"""

    def __init__(self, choice: Choice, dataset: DatasetName) -> None:
        """Args:
        choice: What the form begins with.
        dataset: What runs are trained on.
        """
        super().__init__(id="configure", classes="panel", can_focus=False)
        self._first = choice
        self._recipe: Recipe | None = None
        self._settings = Settings()
        self._device = ""
        self._labels: dict[str, str] = {}
        self._unfit = ""
        self.dataset = dataset

    def compose(self) -> ComposeResult:
        """Network, recipe and place in sight; single settings folded away."""
        first = self._first
        yield NetworkForm(first.arch, first.budget, first.shape)
        recipes = recipe_names(paths.recipe_folder())
        known = first.recipe if first.recipe in recipes else "fast"
        with Vertical(id="how"):
            yield self._field(
                "recipe",
                "Recipe",
                Picker([(recipe, recipe) for recipe in recipes], known),
                "A named set of training settings",
            )
            yield Static(id="recipe-says", markup=False)
            yield self._field(
                "seeds",
                "Seeds",
                TypedInput(SEEDS, first.seeds, "1"),
                "One run each: 3 for seeds 0 to 2, a range 0-4 or a list 3,7; 7-7 is seed 7 alone",
            )
            yield self._field(
                "device",
                "Device",
                Picker([("auto (looking…)", LOOKING)]),
                "Where to train; filled in when torch is loaded",
            )
            yield self._field(
                "precision",
                "Precision",
                Picker(
                    [("auto (measured)", "auto"), ("fp32", "fp32"), ("bf16", "bf16")],
                    first.precision,
                ),
                "Number format; auto measures which is faster for this network",
            )
        set_before = first.overrides
        if first.kernels != "auto":
            set_before = {**set_before, KERNELS: first.kernels}
        yield SettingsGroup("training settings", MAIN, set_before, id="settings")
        yield SettingsGroup("finer settings", FINER, set_before, id="finer")
        with Horizontal(id="go"):
            yield LineButton("Train  t", "primary", id="train")
            yield LineButton("All seven  a", id="all-seven")

    def _field(self, name: str, label: str, control: Input | Picker, help_text: str) -> Field:
        check = {"seeds": parse_seeds}.get(name)
        field = Field(label, control, help_text, check)
        field.id = f"field-{name}"
        return field

    def on_mount(self) -> None:
        """Name the panel and show the recipe's settings."""
        self.border_title = "1 Configure"
        self._load_recipe()

    def field(self, name: str) -> Field:
        """The field of that name."""
        return self.query_one(f"#field-{name}", Field)

    @property
    def overrides(self) -> dict[str, str]:
        """Settings typed over the recipe's."""
        return {name: value for name, value in self._set().items() if name != KERNELS}

    @property
    def kernels(self) -> str:
        """The kernels picked, for networks that can be computed by them."""
        return self._set().get(KERNELS, "auto")

    @property
    def teacher(self) -> str:
        """What settings call the teachers; empty for none."""
        name = self._set().get(TEACHER, self._settings.teacher)
        return "" if name == NO_TEACHER else name

    def _set(self) -> dict[str, str]:
        """What is set in the groups."""
        typed: dict[str, str] = {}
        for group in self.query(SettingsGroup):
            typed |= group.overrides
        return typed

    @property
    def device(self) -> str:
        """The device picked; until they are known, the one picked the last time."""
        picked = self.field("device").value
        return self._first.device if picked == LOOKING else picked

    def choice(self, remembered: Choice) -> Choice:
        """The form as it stands, with what else was remembered."""
        form = self.query_one(NetworkForm)
        return structs.replace(
            remembered,
            arch=form.arch,
            budget=form.budget,
            shape=form.network.shape if form.network else None,
            recipe=self.field("recipe").value,
            overrides=self.overrides,
            seeds=self.field("seeds").value or "1",
            device=self.device,
            precision=self.field("precision").value,
            kernels=self.kernels,
        )

    def offer_devices(self, devices: tuple[Device, ...]) -> None:
        """List the devices that are really there."""
        select = self.field("device").control
        assert isinstance(select, Picker)
        wanted = self._first.device
        options = [(f"auto ({devices[0].name})", "auto")]
        options += [(f"{d.name} · {d.title}, {d.memory_gib:.0f} GiB", d.name) for d in devices]
        select.set_options([(printable(label), name) for label, name in options], wanted)
        self._device = devices[0].name
        self._explain_kernels()
        select.tooltip = Content("\n").join(plain(label) for label, _ in options[1:])

    def look_for_teachers(self) -> None:
        """Ask who can teach, where there is a field to show it."""
        if self.query(f"#field-{TEACHER}"):
            self.post_message(TeachersWanted())

    def offer_teachers(self, found: TeachersRead) -> None:
        """List those that can teach, and say why those chosen cannot."""
        if found.asked != self.teacher:  # others were chosen meanwhile, and are asked about
            return
        self._unfit = found.trouble
        self._labels |= {one.name: one.label for one in found.offered}
        for field in self.query(f"#field-{TEACHER}").results(Field):
            chosen = self.overrides.get(TEACHER, "")
            names = dict.fromkeys([chosen, *(one.name for one in found.offered)])
            self._list_teachers({name: self._labels.get(name, name) for name in names})
            field.error = found.trouble
            about = [one.about for one in found.offered if one.name == found.asked]
            field.tooltip = Content("\n").join(plain(line) for line in (TEACHER_HELP, *about))

    def teach(self, teachers: "Teachers") -> None:
        """Let networks learn what these answer; if they do already, the labels."""
        again = teachers.name == self.teacher
        self._unfit = ""
        self._labels[teachers.name] = teachers.label
        self._list_teachers({teachers.name: teachers.label})
        if not again:
            self.query_one("#settings", SettingsGroup).put(TEACHER, teachers.name)
            said = f"New runs learn what {teachers.title} answers; T again, and they learn labels."
        else:
            recipes = self._settings.teacher == NO_TEACHER
            self.query_one("#settings", SettingsGroup).put(TEACHER, "" if recipes else NO_TEACHER)
            said = "New runs learn the labels again."
        self.notify(said)

    def _list_teachers(self, titles: dict[str, str]) -> None:
        """List teachers in the field, if it is there; what is picked stays."""
        for fields in self.query(TrainingSettings):
            if (picker := fields.picker(TEACHER)) is not None:
                picker.set_options(teacher_options(titles), picker.value)

    def choose_model(self, name: str) -> None:
        """Fill in one of the report's models."""
        model = REPORT_MODELS[name]
        self.query_one(NetworkForm).choose(model.arch, f"{model.budget // 1000}k", model.shape)

    def request(self) -> None:
        """Ask for the network of the form to be trained."""
        network = self.query_one(NetworkForm).network
        if network is None:
            self.notify("Mend the budget first.", severity="warning")
            return
        self._request([network])

    def request_all_seven(self) -> None:
        """Ask for the report's seven models."""
        self._request([])

    def specs(self, networks: list[Network]) -> list[RunSpec]:
        """The runs the form asks for.

        Raises:
            UsageError: the recipe or a field cannot be used.
        """
        if self._unfit and self.teacher:
            raise UsageError(self._unfit)
        recipe = load_recipe(self.field("recipe").value, paths.recipe_folder())
        specs = plan(
            networks,
            recipe,
            self.overrides,
            parse_seeds(self.field("seeds").value or "1"),
            device=self.device,
            precision=self.field("precision").value,
        )
        return [
            structs.replace(
                spec,
                dataset=self.dataset,
                kernels="auto" if self._no_choice(spec) else self.kernels,
            )
            for spec in specs
        ]

    def _no_choice(self, spec: RunSpec) -> str:
        """Why torch's kernels alone can compute a network as it is to be placed; else nothing."""
        device = self._device if self.device == "auto" else self.device
        if not spec.fits_rows:
            return f"not for {spec.family.title}"
        if device not in ("cpu", ""):
            return f"not on {device.partition(':')[0]}"
        return "not in bf16" if spec.precision == "bf16" else ""

    def _request(self, networks: list[Network]) -> None:
        try:
            self.post_message(TrainRequested(self.specs(networks)))
        except UsageError as error:
            self.notify(str(error), title="Not started", severity="error", markup=False)

    @on(Button.Pressed, "#train")
    def _train_pressed(self) -> None:
        self.request()

    @on(Button.Pressed, "#all-seven")
    def _all_seven_pressed(self) -> None:
        self.request_all_seven()

    @on(Input.Submitted)
    def _enter_pressed(self) -> None:
        self.request()

    @on(Picker.Changed, "#field-recipe Picker")
    def _load_recipe(self) -> None:
        """Read the recipe; a broken file says so under the field."""
        try:
            self._recipe = load_recipe(self.field("recipe").value, paths.recipe_folder())
            self.field("recipe").error = ""
            says = printable(" ".join(self._recipe.description.split()))
            self.query_one("#recipe-says", Static).update(_first_sentence(says))
            self.query_one("#recipe-says", Static).tooltip = Content(says)
        except UsageError as error:
            self._recipe = None
            self.field("recipe").error = str(error)
        self._show_recipe()

    @on(NetworkForm.Changed)
    @on(TrainingSettings.Ready)
    def _show_recipe(self) -> None:
        """Show the recipe's settings for this network where nothing is typed over them."""
        network = self.query_one(NetworkForm).network
        if self._recipe is not None and network is not None:
            weights = family_named(network.arch).weights(network.shape)
            before = self.teacher
            self._settings = self._recipe.settings_for(network.arch, weights)
            for fields in self.query(TrainingSettings):
                fields.show_recipe(self._settings)
            self._check_nesterov()
            self._explain_kernels()
            if self.teacher != before:
                self._teacher_picked()

    @on(TrainingSettings.Ready)
    @on(Picker.Changed, f"#field-{TEACHER} Picker")
    def _teacher_picked(self) -> None:
        self._unfit = ""
        self.look_for_teachers()

    @on(Picker.Changed, "#field-device Picker")
    @on(Picker.Changed, "#field-precision Picker")
    def _explain_kernels(self) -> None:
        """Say where kernels cannot be picked, and why."""
        network = self.query_one(NetworkForm).network
        pickers = [fields.picker(KERNELS) for fields in self.query(TrainingSettings)]
        if network is None or not any(pickers):
            return
        spec = RunSpec(
            arch=network.arch,
            shape=network.shape,
            recipe=self.field("recipe").value,
            settings=self._settings,
            precision="bf16" if self.field("precision").value == "bf16" else "auto",
        )
        why = self._no_choice(spec)
        for picker in filter(None, pickers):
            picker.instead = f"torch ({why})" if why else ""

    @on(Input.Changed, "#field-seeds Input")
    def _count_runs(self) -> None:
        """Say on the button how many runs it begins."""
        try:
            runs = len(parse_seeds(self.field("seeds").value or "1"))
        except UsageError:
            runs = 1
        self.query_one("#train", Button).label = f"Train ×{runs}  t" if runs > 1 else "Train  t"

    @on(Input.Changed)
    @on(Picker.Changed)
    def _check_nesterov(self) -> None:
        """It leans on optimiser and momentum: complain at the first of the three that is set."""
        if not self.query(TrainingSettings):
            return
        three = [
            field
            for name in ("nesterov", "optimizer", "momentum")
            for field in self.query(f"#field-{name}").results(Field)
            if field.value
        ]
        for field in three:
            field.check()
        if three and not any(field.error for field in three):
            names = [(field.id or "").removeprefix("field-") for field in three]
            typed = {name: field.value for name, field in zip(names, three, strict=True)}
            try:
                self._settings.replaced(**typed)
            except UsageError as error:
                three[0].error = str(error).partition(": ")[2]


def _first_sentence(text: str) -> str:
    """What fits the form; the rest is in the tooltip."""
    first, dot, _ = text.partition(". ")
    return first + dot.strip()
