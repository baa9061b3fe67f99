"""Which classes a network confuses, on which images; and where two networks differ."""

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.widgets import Footer, Static

from fashiontui.domain.classes import CLASS_NAMES
from fashiontui.domain.confusion import (
    Comparison,
    Matrix,
    class_scores,
    compared,
    confusion,
    images_of,
    mistakes,
    most_confused,
    predictions_of,
    probabilities,
)
from fashiontui.domain.errors import DataError
from fashiontui.domain.events import Predictions
from fashiontui.domain.record import RunRecord
from fashiontui.domain.stats import mcnemar
from fashiontui.tui import text
from fashiontui.tui.protocol import picture_widget
from fashiontui.tui.screens.over_runs import OverRuns, empty_state, way_back
from fashiontui.tui.widgets.count_table import Counts, CountTable
from fashiontui.tui.widgets.gallery import Gallery, Said

SHORT_NAMES = ("T-sh", "Trou", "Pull", "Dres", "Coat", "Sand", "Shir", "Snea", "Bag", "Boot")
EMPTY = (
    "Which classes a network confuses is shown here for a finished run: go to the board (4), move "
    "to a run and press m; mark two with space to compare them."
)
NO_PROBABILITIES = "No probabilities: the run was stored by an early version."


class Mistakes(OverRuns):
    """A confusion matrix and the images of its cells, of one run or of two."""

    CSS_PATH = "mistakes.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (120, "-roomy")]
    BINDINGS = [
        way_back("mistakes", "From the images to the table; from there to the lab"),
        Binding("s", "surest", "Surest first", id="mistakes.surest",
                tooltip="All mistakes, the most confident first: wrong labels show there"),
        Binding("x", "other", "Other run", id="mistakes.other",
                tooltip="The other of the two runs"),
        Binding("c", "compare", "Compare", id="mistakes.compare",
                tooltip="Where the two runs differ; again for the confusion matrix"),
    ]  # fmt: skip
    HELP = """\
Rows are what the test images are, columns what the network took them for; each cell counts images,
on a ground as strong as its share. `enter` shows the images of a cell, the surest first, with the
probabilities the network gave. **Precision**: of the images taken for a class, those that are of
it; **recall**: of those of the class, those taken for it; **F1** is their harmonic mean.

With two runs marked, `c` shows which images only one of them gets right, and the exact McNemar
p-value that both err equally often: below 0.05 the difference is more than noise.

These are test images: look, but choose nothing by them, or the test accuracy is one no more.
"""

    def __init__(self, records: Sequence[RunRecord], folders: Sequence[Path], shaded: bool) -> None:
        """Args:
        records: One or two runs with their predictions; none says what to press.
        folders: Where Fashion-MNIST may lie.
        shaded: Whether pictures are drawn without colours.

        Raises:
            UsageError: a run was never tested, or the two on different images.
        """
        super().__init__()
        self._records = records[:2]
        self._made = [predictions_of(record) for record in self._records]
        self._compared: Comparison | None = None
        if len(self._made) == 2:
            self._compared = compared(*self._made)
        self._folders = folders
        self._shaded = shaded
        self._shown = 0
        self._comparing = self._compared is not None
        self._p: float | None = None

    def compose(self) -> ComposeResult:
        """Facts, table, words about the cell; images beside or instead."""
        with Container(id="mistakes-facts"):
            yield Static(id="facts-a", markup=False)
            yield Static(id="facts-b", markup=False)
        yield Static(id="images-missing", classes="complaint", markup=False)
        with Container(id="mistakes-body"):
            with Vertical(id="mistakes-left"):
                yield CountTable()
                yield Static(id="cell-says", markup=False)
                yield Static(id="about")
            yield Gallery(picture_widget(self.app, self._shaded) if self._records else None)
        yield empty_state(EMPTY)
        yield Footer()

    def on_mount(self) -> None:
        """Show the first view and fetch the images behind it."""
        self.set_class(not self._records, "-empty")
        self.query_one(Gallery).shaded = self._shaded
        self.query_one("#images-missing").display = False
        if self._records:
            self._fetch_images()
            if self._compared is not None:
                self._test()
            self._show()
            self.query_one(CountTable).focus()

    @property
    def _predictions(self) -> Predictions:
        return self._made[self._shown]

    @work(thread=True, group="test")
    def _test(self) -> None:
        """Test whether both err equally often; scipy may have to be loaded for it."""
        a, b = self._made
        self.call_later(self._show_test, mcnemar(a.correct, b.correct))

    def _show_test(self, p: float) -> None:
        self._p = p
        self.query_one("#cell-says", Static).update(self._cell()[2])

    @work(thread=True, group="images")
    def _fetch_images(self) -> None:
        """Read the test images; a network folder may be slow."""
        from fashiontui.images.test_images import test_images  # numpy and pillow, not torch

        try:
            pixels = test_images(self._records[0].spec.dataset, self._folders)
        except DataError as error:
            self.call_later(self._images_missing, str(error))
        else:
            self.call_later(self.query_one(Gallery).give, pixels)

    def _images_missing(self, sentence: str) -> None:
        missing = self.query_one("#images-missing", Static)
        missing.update(f"✗ {sentence}")
        missing.display = True

    # What is shown

    def _show(self) -> None:
        table = self.query_one(CountTable)
        self.set_class(self._comparing, "-comparing")
        if self._comparing and self._compared is not None:
            table.show(_comparison_counts(self._compared), (0, 1))
        else:
            matrix = confusion(self._predictions)
            table.show(_confusion_counts(matrix), most_confused(matrix))
        self._show_facts()
        self._show_cell()
        self.refresh_bindings()

    def _show_facts(self) -> None:
        self.query_one("#facts-b").display = len(self._records) == 2
        for letter, record, made in zip("AB", self._records, self._made, strict=False):
            here = len(self._records) == 1 or self._comparing or letter == "AB"[self._shown]
            facts = Text(f"{letter} " if len(self._records) == 2 else "", "bold")
            facts = Text.assemble(facts, (record.spec.title, "bold" if here else "dim"))
            wrong = len(made.labels) - sum(made.correct)
            facts.append(f" seed {record.spec.seed} · test {made.accuracy:.2f}% · {wrong:,} wrong")
            self.query_one(f"#facts-{letter.lower()}", Static).update(facts)

    @on(CountTable.Moved)
    def _show_cell(self) -> None:
        if not self._records:
            return
        images, title, says = self._cell()
        self.query_one("#cell-says", Static).update(says)
        self.query_one(Gallery).show(title, images, self._said, "No image is in this cell.")

    def _cell(self) -> tuple[tuple[int, ...], str, str]:
        """Images of the cell one is on, what they have in common, and what to say of them."""
        row, column = self.query_one(CountTable).cursor
        if self._comparing and self._compared is not None:
            images, title = self._agreement(self._compared, row, column)
            told = f"Exact McNemar test: {_p(self._p)}."
        else:
            images = images_of(self._predictions, row, column)
            title = f"{CLASS_NAMES[row]} taken for {CLASS_NAMES[column]}"
            title = f"{CLASS_NAMES[row]}, recognised" if row == column else title
            told = self._class_says(row)
        return images, title, f"{title}: {_images(len(images))}.\n{told}"

    @on(Gallery.Chose)
    def _show_about(self) -> None:
        image = self.query_one(Gallery).chosen
        about = Text() if image is None else self._said(image).about
        self.query_one("#about", Static).update(about)

    def _class_says(self, label: int) -> str:
        score = class_scores(confusion(self._predictions))[label]
        return (
            f"{CLASS_NAMES[label]}: precision {_percent(score.precision)}, recall "
            f"{_percent(score.recall)}, F1 {_percent(score.f1)}."
        )

    def _agreement(
        self, comparison: Comparison, row: int, column: int
    ) -> tuple[tuple[int, ...], str]:
        """Images of a cell of the table of two runs, and what they have in common."""
        a, b = self._names()
        match row, column:
            case 0, 0:
                return comparison.both, "Both are right"
            case 0, 1:
                return comparison.only_a, f"A {a} is right, B {b} is wrong"
            case 1, 0:
                return comparison.only_b, f"B {b} is right, A {a} is wrong"
            case _:
                return comparison.neither, "Both are wrong"

    def _names(self) -> tuple[str, str]:
        a, b = (record.spec.title for record in self._records)
        return a, b

    def _said(self, image: int) -> Said:
        """What the runs made of an image."""
        made = self._made if self._comparing else [self._predictions]
        truth = CLASS_NAMES[made[0].labels[image]]
        takes = []
        about = Text.assemble((f"test image {image}\n", "bold"), f"is a {truth}\n")
        for letter, one in zip("AB" if len(made) == 2 else ("",), made, strict=True):
            taken = CLASS_NAMES[one.predicted[image]]
            likeliest = probabilities(one, image)
            sure = f" {100 * likeliest[0][1]:.0f}%" if likeliest else ""
            takes.append(f"{letter} {taken.split('/')[0]}" if letter else f"{taken}{sure}")
            sign = "✓" if taken == truth else "✗"
            about.append(f"\n{f'{letter} {sign}'.strip()} {taken}{sure}\n")
            about.append_text(_shares(likeliest, truth))
        return Said((f"{truth}", ", ".join(takes)), about)

    # Keys

    @on(CountTable.Chosen)
    def _look_closer(self) -> None:
        self.add_class("-looking")
        self.query_one(Gallery).focus()

    def action_surest(self) -> None:
        """Every mistake of the run that is shown, the most confident first."""
        wrong = mistakes(self._predictions)
        title = f"Mistakes of {self._records[self._shown].spec.title}, the surest first"
        self.query_one(Gallery).show(title, wrong, self._said, "It made no mistake.")
        self._look_closer()

    def action_other(self) -> None:
        """Show the confusion matrix of the other run."""
        self._shown, self._comparing = 1 - self._shown, False
        self._show()

    def action_compare(self) -> None:
        """Show where the runs differ, or one of them again."""
        self._comparing = not self._comparing
        self._show()

    def action_back(self) -> None:
        """Leave the images, then the screen."""
        if self.has_class("-looking"):
            self.remove_class("-looking")
            self._show_cell()
            self.query_one(CountTable).focus()
        else:
            super().action_back()

    def offers(self, action: str) -> bool:
        """Offer what needs two runs only where they are."""
        if action in ("other", "compare"):
            return len(self._records) == 2
        return super().offers(action)


def _confusion_counts(matrix: Matrix) -> Counts:
    scores = class_scores(matrix)
    beside = [
        f" {_percent(s.precision):>5} {_percent(s.recall):>6} {_percent(s.f1):>5}" for s in scores
    ]
    diagonal = frozenset((label, label) for label in range(len(matrix)))
    return Counts(
        CLASS_NAMES, SHORT_NAMES, matrix, diagonal, "is \\ taken", beside, "  prec recall   F1"
    )


def _comparison_counts(found: Comparison) -> Counts:
    values = (
        (len(found.both), len(found.only_a)),
        (len(found.only_b), len(found.neither)),
    )
    return Counts(
        ("A is right", "A is wrong"),
        ("B right", "B wrong"),
        values,
        frozenset({(0, 0)}),
        "images",
        cell=9,
    )


def _shares(likeliest: list[tuple[int, float]] | None, truth: str) -> Text:
    """The five likeliest classes with bars; what the image is has a sign."""
    if likeliest is None:
        return Text(f"{NO_PROBABILITIES}\n", "dim")
    lines = Text()
    for label, share in likeliest[:5]:
        name = CLASS_NAMES[label]
        mark = "←" if name == truth else " "
        lines.append(f"{name:<11}{mark}{100 * share:>4.0f}% ", "bold" if name == truth else "")
        lines.append("━" * round(8 * share) + "\n")
    return lines


def _p(p: float | None) -> str:
    if p is None:
        return "…"
    told = "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"
    return f"{told}, {'more than noise' if p < 0.05 else 'within noise'}"


def _percent(share: float | None) -> str:
    return text.NOTHING if share is None else f"{100 * share:.1f}"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
