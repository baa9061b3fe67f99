"""What a stored network looks like inside: first layer, layer figures, activations of an image."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.table import Table
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, VerticalScroll
from textual.widgets import Footer, Static

from fashiontui.domain.classes import CLASS_NAMES
from fashiontui.domain.errors import FashiontuiError
from fashiontui.domain.events import FirstLayer, LayerStatistics
from fashiontui.domain.record import RunRecord
from fashiontui.tui.activations import Activations, Looker
from fashiontui.tui.screens.over_runs import OverRuns, empty_state, title_line, way_back
from fashiontui.tui.text import plain
from fashiontui.tui.widgets.first_layer import FirstLayerView
from fashiontui.tui.widgets.pictures import picture_lines, side_by_side

EMPTY = (
    "What a network looks like inside is shown here for a stored run: go to the board (4), move to "
    "a run and press w."
)
NOTHING_KEPT = (
    "This run was stored before pictures and figures of its layers were kept; r on the board "
    "trains it again."
)
NO_WEIGHTS = "The weights of this run are not on this machine; r on the board trains it again."
MOST_MAPS = 64
GAP = 1
ROW = 28
"""Units of a layer without maps that are drawn in one line of pixels."""


class Weights(OverRuns):
    """Pictures of an epoch beside figures on its layers, or the activations of an image."""

    CSS_PATH = "weights.tcss"
    AUTO_FOCUS = ""  # the scrolling panels would take the arrows
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]
    BINDINGS = [
        way_back("weights", "From the activations to the weights; from there to the lab"),
        Binding("left", "move(-1)", "Before", id="weights.left", key_display="←",
                tooltip="The epoch before; among activations, the image before"),
        Binding("right", "move(1)", "Next", id="weights.right", key_display="→",
                tooltip="The next epoch; among activations, the next image"),
        Binding("home", "jump(0)", "First", id="weights.home", show=False,
                tooltip="The first epoch, or image"),
        Binding("end", "jump(-1)", "Last", id="weights.end", show=False,
                tooltip="The last epoch, or image"),
        Binding("a", "activations", "Activations", id="weights.activations",
                tooltip="What each layer makes of an image; loads torch and the stored weights"),
        Binding("n", "next_layer", "Layer", id="weights.layer",
                tooltip="The activations of the next layer"),
        Binding("t", "table", "Figures", id="weights.table",
                tooltip="Pictures or figures, where only one of them fits"),
    ]  # fmt: skip
    HELP = """\
The first layer's weights at an epoch as pictures: light is positive, dark is negative. Of every
epoch there are figures on each layer; pictures are kept of the newest epoch and of up to 16 evenly
spaced ones, of an FCN those of its first 16 hidden units.

**Weights**: mean and standard deviation of a matrix or of kernels. **Outputs**: of what the layer
hands on, measured on the first 500 validation images. **Dead** units put out 0 for all of these:
ReLU has switched them off, and they learn no more.

`a` shows what each layer makes of a test image, from the run's stored weights.
"""

    def __init__(
        self,
        records: Sequence[RunRecord],
        weights_of: Callable[[str], Path | None],
        folders: Sequence[Path],
        shaded: bool,
    ) -> None:
        """Args:
        records: One run, with what it looks like inside; none says what to press.
        weights_of: The file of a run's weights, where there is one on this machine.
        folders: Where Fashion-MNIST may lie.
        shaded: Whether pictures are drawn without colours.
        """
        super().__init__()
        self._record = records[0] if records else None
        self._inside = self._record.inside if self._record else ()
        self._weights_of = weights_of
        self._folders = folders
        self._shaded = shaded
        self._epoch = len(self._inside) - 1
        self._looker: Looker | None = None
        self._images: np.ndarray | None = None
        self._image = 0
        self._layer = 0
        self._seen: Activations | None = None

    def compose(self) -> ComposeResult:
        """Title, pictures beside figures, or activations instead."""
        yield title_line("weights-title")
        with Container(id="weights-body"):
            yield FirstLayerView()
            with VerticalScroll(id="layer-figures", classes="panel"):
                yield Static(id="figures")
        with VerticalScroll(id="activations", classes="panel"):
            yield Static(id="maps")
        yield empty_state(EMPTY if self._record is None else NOTHING_KEPT)
        yield Footer()

    def on_mount(self) -> None:
        """Show the newest epoch."""
        self.query_one(FirstLayerView).shaded = self._shaded
        self.query_one("#layer-figures").border_title = "Layers"
        self.query_one("#weights-title").display = self._record is not None
        self.set_class(not self._inside, "-empty")
        self._show()

    # What is shown

    def _show(self) -> None:
        if self._record is None:
            return
        title = Text(no_wrap=True)
        title.append(self._record.spec.title, "bold")
        title.append(f" seed {self._record.spec.seed} · run {self._record.id}")
        if self.has_class("-looking"):
            title.append(f" · test image {self._image}")
        elif self._inside:
            seen = self._inside[self._epoch]
            title.append(f" · epoch {seen.epoch} of {self._inside[-1].epoch}")
        self.query_one("#weights-title", Static).update(title)
        if self.has_class("-looking"):
            self._show_activations()
        elif self._inside:
            self._show_epoch(self._inside[self._epoch])

    def _show_epoch(self, seen: FirstLayer) -> None:
        view = self.query_one(FirstLayerView)
        assert self._record is not None
        if seen.count:
            view.show(self._record.spec.title, seen)
        else:
            kept = ", ".join(str(one.epoch) for one in self._inside if one.count)
            view.clear(f"No pictures were kept of epoch {seen.epoch}; of these they were: {kept}.")
        self.query_one("#figures", Static).update(_figures(seen.layers, self._inside[0].layers))

    def _show_activations(self) -> None:
        seen, panel = self._seen, self.query_one("#activations")
        if seen is None or self._images is None:
            return
        names = list(seen.layers)
        name = names[self._layer % len(names)]
        panel.border_title = (
            f"What {name} hands on ({self._layer % len(names) + 1} of {len(names)})"
        )
        width = max(ROW, panel.content_size.width - 2)  # for the bar that scrolls
        head = picture_lines(self._images[self._image], self._shaded)
        likeliest = sorted(enumerate(seen.probabilities), key=lambda pair: -pair[1])[:5]
        for number, (label, share) in enumerate(likeliest, start=2):
            head[number].append(f"   {CLASS_NAMES[label]:<12}{100 * share:>5.1f}% ")
            head[number].append("━" * round(min(10, width - head[number].cell_len) * share))
        lines = [*head, Text(), *_maps(seen.layers[name], width, self._shaded)]
        self.query_one("#maps", Static).update(Text("\n", no_wrap=True).join(lines))

    # Activations, in threads: they load torch

    @work(thread=True, group="activations", exclusive=True)
    def _look(self) -> None:
        from fashiontui.images.test_images import test_images

        assert self._record is not None
        try:
            if self._images is None:
                self._images = test_images(self._record.spec.dataset, self._folders)
            if self._looker is None:
                path = self._weights_of(self._record.id)
                if path is None:
                    self.call_later(
                        self._refuse, "The weights of this run are not on this machine."
                    )
                    return
                self._looker = Looker(self._record, path)
            found = self._looker.look(self._images[self._image])
        except FashiontuiError as error:
            self.call_later(self._refuse, str(error))
        else:
            self.call_later(self._looked, found)

    def _looked(self, found: Activations) -> None:
        self._seen = found
        self.call_after_refresh(self._show)  # the panel may have no width yet

    def _refuse(self, sentence: str) -> None:
        self.query_one("#maps", Static).update(plain(f"✗ {sentence}"))

    # Keys

    def action_activations(self) -> None:
        """Show what each layer makes of an image."""
        self.add_class("-looking")
        if self._seen is None:
            self.query_one("#activations").border_title = "Activations"
            self.query_one("#maps", Static).update("Loading torch and the stored weights…")
            self._look()
        self._show()
        self.refresh_bindings()

    def action_next_layer(self) -> None:
        """Show the next layer's."""
        self._layer += 1
        self._show()

    def action_move(self, by: int) -> None:
        """Move to another epoch, or another image."""
        if self.has_class("-looking"):
            self._choose_image(self._image + by)
        else:
            self._epoch = max(0, min(len(self._inside) - 1, self._epoch + by))
            self._show()

    def action_jump(self, place: int) -> None:
        """Move to the first or the last."""
        if self.has_class("-looking"):
            self._choose_image(0 if place == 0 or self._images is None else len(self._images) - 1)
        else:
            self._epoch = 0 if place == 0 else len(self._inside) - 1
            self._show()

    def _choose_image(self, image: int) -> None:
        if self._images is not None and self._looker is not None:
            self._image = max(0, min(len(self._images) - 1, image))
            self._look()

    def action_table(self) -> None:
        """Show pictures or figures where one fits."""
        self.toggle_class("-figures")

    def action_back(self) -> None:
        """Leave the activations, then the screen."""
        if self.has_class("-looking"):
            self.remove_class("-looking")
            self._show()
            self.refresh_bindings()
        else:
            super().action_back()

    def offers(self, action: str) -> bool:
        """Offer what acts on what is shown."""
        looking = self.has_class("-looking")
        match action:
            case "next_layer":
                return looking
            case "activations":
                return not looking and self._record is not None
            case "table":
                return not looking and self.has_class("-narrow") and bool(self._inside)
        return looking or super().offers(action)


def _figures(layers: Sequence[LayerStatistics], first: Sequence[LayerStatistics]) -> Table:
    """A line a layer; of weights' deviation also how it has changed since the first epoch."""
    table = Table.grid(padding=(0, 1))
    names = ("layer", "units", "dead", "weights ±", "since 1", "outputs", "±")
    for number, _ in enumerate(names):
        table.add_column(justify="left" if number == 0 else "right", no_wrap=True)
    table.add_row(*(Text(name, "dim") for name in names))
    for layer, before in zip(layers, first, strict=False):
        share = layer.weight_std / before.weight_std - 1 if before.weight_std else 0.0
        table.add_row(
            Text(layer.name),
            Text(str(layer.units)),
            Text(str(layer.dead) if layer.dead else "–", "bold" if layer.dead else ""),
            Text(f"{layer.weight_mean:+.3f} {layer.weight_std:.3f}"),
            Text(f"{share:+.0%}"),
            Text(f"{layer.output_mean:.2f}"),
            Text(f"{layer.output_std:.2f}"),
        )
    return table


def _maps(made: np.ndarray, width: int, shaded: bool) -> list[Text]:
    """Maps of a convolution's channels beside each other, or a layer's units as one picture.

    The brightest of all is white, whatever is 0 or below is black.
    """
    scaled = (255 * np.clip(made, 0, None) / max(1e-9, float(made.max()))).astype(np.uint8)
    if scaled.ndim == 1:
        rows = -(-len(scaled) // ROW)
        rows += rows % 2
        grid = np.zeros(rows * ROW, np.uint8)
        grid[: len(scaled)] = scaled
        return picture_lines(grid.reshape(rows, ROW), shaded)
    side = scaled.shape[2]
    if scaled.shape[1] % 2:
        scaled = np.pad(scaled, ((0, 0), (0, 1), (0, 0)))
    across = max(1, (width + GAP) // (side + GAP))
    lines: list[Text] = []
    for start in range(0, min(MOST_MAPS, len(scaled)), across):
        row = scaled[start : min(start + across, MOST_MAPS)]
        lines += [*side_by_side([picture_lines(one, shaded) for one in row], GAP), Text()]
    return lines
