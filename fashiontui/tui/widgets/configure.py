"""Panel 1: which network to train, how and where."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Collapsible, Input, Select, Static

from fashiontui import paths
from fashiontui.domain.errors import UsageError
from fashiontui.domain.plan import Network, plan
from fashiontui.domain.recipe import Recipe, load_recipe, recipe_names
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.shapes import family_named
from fashiontui.domain.spec import DatasetName, RunSpec
from fashiontui.domain.text import printable
from fashiontui.tui.choice import Choice
from fashiontui.tui.messages import Device, TrainRequested
from fashiontui.tui.text import plain
from fashiontui.tui.widgets.fields import WHOLE, Field, TypedInput
from fashiontui.tui.widgets.network import NetworkForm
from fashiontui.tui.widgets.settings import TrainingSettings

MAX_SEEDS = 1000
LOOKING = "looking"
"""Value of the device field until torch has said which devices there are."""


class Configure(VerticalScroll):
    """The form; what is left empty is the recipe's."""

    HELP = """\
Pick a family and a budget; the shapes that fill it, their layers and exact weights follow as you
type. A recipe gives every training setting; what you type under *training settings* replaces it for
this run. `t` trains this network once for each seed, `a` queues the report's seven models. `f2` to
`f8` fill in one of the seven. Letters stay shortcuts while a number field has the focus.
"""

    def __init__(self, choice: Choice, dataset: DatasetName) -> None:
        """Args:
        choice: What the form begins with.
        dataset: What runs are trained on.
        """
        super().__init__(id="configure", classes="panel", can_focus=False)
        self._first = choice
        self._recipe: Recipe | None = None
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
                Select(
                    [(Text(printable(r)), r) for r in recipes],
                    value=known,
                    allow_blank=False,
                    compact=True,
                ),
                "A named set of training settings",
            )
            yield Static(id="recipe-says")
            yield self._field(
                "seeds",
                "Seeds",
                TypedInput(WHOLE, first.seeds, "1"),
                "How many times to train, each from another seed, 0 onwards",
            )
            yield self._field(
                "device",
                "Device",
                Select([("auto (looking…)", LOOKING)], allow_blank=False, compact=True),
                "Where to train; filled in when torch is loaded",
            )
            yield self._field(
                "precision",
                "Precision",
                Select(
                    [("auto (measured)", "auto"), ("fp32", "fp32"), ("bf16", "bf16")],
                    value=first.precision,
                    allow_blank=False,
                    compact=True,
                ),
                "Number format; auto measures which is faster for this network",
            )
        with Collapsible(title="training settings", collapsed=not first.overrides, id="settings"):
            if first.overrides:
                yield TrainingSettings(first.overrides)
        with Horizontal(id="go"):
            yield Button("Train  t", id="train", variant="primary", compact=True)
            yield Button("All seven  a", id="all-seven", compact=True)

    def _field(self, name: str, label: str, control: Input | Select[str], help_text: str) -> Field:
        check = {"seeds": _seeds}.get(name)
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
        mounted = self.query(TrainingSettings)
        return mounted.first().overrides if mounted else self._first.overrides

    @property
    def device(self) -> str:
        """The device picked; until they are known, the one picked the last time."""
        picked = self.field("device").value
        return self._first.device if picked == LOOKING else picked

    def choice(self, remembered: Choice) -> Choice:
        """The form as it stands, with what else was remembered."""
        form = self.query_one(NetworkForm)
        return remembered.model_copy(
            update={
                "arch": form.arch,
                "budget": form.budget,
                "shape": form.network.shape if form.network else None,
                "recipe": self.field("recipe").value,
                "overrides": self.overrides,
                "seeds": self.field("seeds").value or "1",
                "device": self.device,
                "precision": self.field("precision").value,
            }
        )

    def offer_devices(self, devices: tuple[Device, ...]) -> None:
        """List the devices that are really there."""
        select = self.field("device").control
        assert isinstance(select, Select)
        wanted = self._first.device
        options = [(f"auto ({devices[0].name})", "auto")]
        options += [(f"{d.name} · {d.title}, {d.memory_gib:.0f} GiB", d.name) for d in devices]
        select.set_options([(Text(printable(label)), name) for label, name in options])
        select.value = wanted if wanted in {name for _, name in options} else "auto"
        select.tooltip = Content("\n").join(plain(label) for label, _ in options[1:])

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
        recipe = load_recipe(self.field("recipe").value, paths.recipe_folder())
        specs = plan(
            networks,
            recipe,
            self.overrides,
            _seeds(self.field("seeds").value or "1"),
            device=self.device,
            precision=self.field("precision").value,
        )
        return [spec.model_copy(update={"dataset": self.dataset}) for spec in specs]

    def _request(self, networks: list[Network]) -> None:
        try:
            self.post_message(TrainRequested(self.specs(networks)))
        except UsageError as error:
            self.notify(printable(str(error)), title="Not started", severity="error", markup=False)

    @on(Button.Pressed, "#train")
    def _train_pressed(self) -> None:
        self.request()

    @on(Button.Pressed, "#all-seven")
    def _all_seven_pressed(self) -> None:
        self.request_all_seven()

    @on(Input.Submitted)
    def _enter_pressed(self) -> None:
        self.request()

    @on(Select.Changed, "#field-recipe Select")
    def _load_recipe(self) -> None:
        """Read the recipe; a broken file says so under the field."""
        try:
            self._recipe = load_recipe(self.field("recipe").value, paths.recipe_folder())
            self.field("recipe").error = ""
            says = " ".join(self._recipe.description.split())
            self.query_one("#recipe-says", Static).update(plain(says))
        except UsageError as error:
            self._recipe = None
            self.field("recipe").error = str(error)
        self._show_recipe()

    @on(Collapsible.Expanded)
    def _mount_settings(self, event: Collapsible.Expanded) -> None:
        """Add the fields when they are first wanted: they are half of all widgets at the start."""
        if not self.query(TrainingSettings):
            event.collapsible.query_one(Collapsible.Contents).mount(TrainingSettings({}))

    @on(NetworkForm.Changed)
    @on(TrainingSettings.Ready)
    def _show_recipe(self) -> None:
        """Show the recipe's settings for this network where nothing is typed over them."""
        network = self.query_one(NetworkForm).network
        if self._recipe is not None and network is not None:
            weights = family_named(network.arch).weights(network.shape)
            settings = self._recipe.settings_for(network.arch, weights)
            for fields in self.query(TrainingSettings):
                fields.show_recipe(settings)


def _seeds(typed: str) -> range:
    """Seeds 0 to n - 1.

    Raises:
        UsageError: it is not a number of seeds.
    """
    if not typed.isdigit() or not 1 <= int(typed[:6]) <= MAX_SEEDS:
        raise UsageError(f"Seeds: give how many, from 1 to {MAX_SEEDS:,}.")
    return range(int(typed))
