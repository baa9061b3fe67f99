"""Tables and a chart on stdout, through Rich and plotext."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, log10

from msgspec import to_builtins
from rich import box, filesize
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from fashiontui.domain.events import UNFINISHED
from fashiontui.domain.record import RunRecord
from fashiontui.domain.results import Result
from fashiontui.domain.shapes import FAMILIES, Family, Shape
from fashiontui.domain.spec import RunSpec, how_computed
from fashiontui.export.tables import RANKS, Table, clock, ranked_tables

PIPE_WIDTH = 160
"""Columns when stdout is no terminal: wide enough that no cell is cut."""
CHART_SIZE = (76, 18)
"""Columns and rows of the chart."""
CHART_MARGIN = 1.3
"""Room beside the outermost points, as a factor of their weights."""


def stdout_console() -> Console:
    """A console for data: never wrapped to a guess when stdout is a file or a pipe."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def print_table(table: Table) -> None:
    """A table with its title above it."""
    drawn = _drawn(table.title, table.header, table.words)
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    stdout_console().print(drawn)


def print_models(networks: Iterable[tuple[str | None, Family, Shape, int | None]]) -> None:
    """Networks with their counts and layers.

    Args:
        networks: Report name, family, shape and budget of each.
    """
    drawn = _drawn(
        "Weights: every trainable parameter, biases included",
        ("Model", "Shape", "Budget", "Weights", "used", "Report's count", "Layers"),
    )
    for name, family, shape, budget in networks:
        weights = family.weights(shape)
        layers = "  ".join(
            f"{layer.name} {'×'.join(map(str, layer.output))}: {layer.weights:,}"
            for layer in family.layers(shape)
        )
        used = f"{weights / budget:.1%}" if budget else "–"
        cells = (
            name or family.title,
            family.describe(shape),
            f"{budget:,}" if budget else "–",
            f"{weights:,}",
            used + ("  over budget" if budget and weights > budget else ""),
            _count(family.report_weights(shape)),
            layers,
        )
        drawn.add_row(*(Text(cell) for cell in cells))
    console = stdout_console()
    console.print(drawn)
    console.print(
        Text(
            "The report counts its FCNs without the output layer, its CNNs with it, and has no "
            "other families; its own count is the last but one column."
        )
    )


def print_runs(records: Sequence[RunRecord], checkpoints: Mapping[str, int]) -> None:
    """One line a run, and what their checkpoints take.

    Args:
        records: The runs.
        checkpoints: Bytes of each checkpoint on this machine, by run.
    """
    drawn = _drawn(
        f"{_counted(len(records))}, the newest first",
        ("Id", "Model", "Data", "Recipe", "Seed", "Weights")
        + ("Val %", "Test %", "Time", "Device", "Status", "Began (UTC)"),
    )
    for run in records:
        cells = (
            run.id,
            run.spec.title,
            run.spec.dataset,
            run.spec.recipe_title,
            str(run.spec.seed),
            f"{run.spec.weights:,}",
            _percent(run.val_accuracy),
            _percent(run.test_accuracy),
            clock(run.train_seconds) if run.train_seconds is not None else "–",
            run.device,
            run.status.value,
            f"{run.created:%Y-%m-%d %H:%M}",
        )
        drawn.add_row(*(Text(cell) for cell in cells))
    console = stdout_console()
    console.print(drawn)
    console.print(_on_disk(records, checkpoints), soft_wrap=True)


def print_ranked(found: Sequence[Result]) -> None:
    """What is finished, seeds taken together, the best on validation first."""
    for table in ranked_tables(found):
        print_table(table)
    if found:
        stdout_console().print(Text(RANKS))


def _counted(runs: int) -> str:
    return "1 run" if runs == 1 else f"{runs:,} runs"


def _on_disk(records: Sequence[RunRecord], checkpoints: Mapping[str, int]) -> Text:
    """What checkpoints take, and how many runs wait to be continued from one."""
    said = f"Checkpoints take {filesize.decimal(sum(checkpoints.values()))} of disk"
    waiting = sum(run.status in UNFINISHED and run.id in checkpoints for run in records)
    if waiting:
        said += f"; {_counted(waiting)} can be continued: fashiontui --batch --resume"
    return Text(f"{said}.")


def print_run(run: RunRecord) -> None:
    """Everything stored of one run but its predictions."""
    console = stdout_console()
    facts = RichTable.grid(padding=(0, 2))
    settings = to_builtins(run.spec.settings)
    spread = (
        "" if run.test_batch_std is None else f" ± {run.test_batch_std:.2f} over batches of 256"
    )
    interval = run.test_interval
    how = how_computed(run.precision, run.threads, run.kernels)
    trained = ", ".join(f"{name} {value}" for name, value in settings.items())
    for name, value in (
        ("Run", f"{run.id}, {run.status.value}" + (f": {run.cause}" if run.cause else "")),
        ("Model", f"{run.spec.title} ({run.spec.family.describe(run.spec.shape)})"),
        ("Weights", _weights(run.spec)),
        ("Data", f"{run.spec.dataset}, seed {run.spec.seed}, split seed {run.spec.split_seed}"),
        ("Recipe", f"{run.spec.recipe_title}: {trained}"),
        ("Device", f"{run.device} ({run.device_name}), {how}"),
        ("Versions", ", ".join(f"{k} {v}" for k, v in run.versions.items())),
        ("Validation", f"{_percent(run.val_accuracy)} %"),
        ("Test", f"{_percent(run.test_accuracy)} %{spread}"),
        ("95%", f"{interval[0]:.2f}–{interval[1]:.2f} %" if interval else "–"),
        ("Time", clock(run.train_seconds) if run.train_seconds is not None else "–"),
    ):
        facts.add_row(Text(name, style="bold"), Text(value))
    console.print(facts)
    drawn = _drawn(
        "", ("Epoch", "Train loss", "Val loss", "Val %", "Learning rate", "Images/s", "Time")
    )
    for epoch in run.epochs:
        drawn.add_row(
            str(epoch.epoch),
            f"{epoch.train_loss:.4f}",
            f"{epoch.val_loss:.4f}",
            f"{epoch.val_accuracy:.2f}",
            f"{epoch.lr:.2e}",
            f"{epoch.images_per_second:,.0f}",
            clock(epoch.train_seconds),
        )
    console.print(drawn)


def print_chart(found: Sequence[Result]) -> None:
    """Test accuracy against weights, one marker a family, the report's points beside ours."""
    import plotext

    points: list[tuple[str, str, list[int], list[float]]] = []
    for family in FAMILIES.values():
        ours = [result for result in found if result.arch == family.name]
        weights = [result.weights for result in ours]
        accuracies = [result.test_accuracy for result in ours]
        points.append((family.title, family.marker, weights, accuracies))
    reported = [result for result in found if result.report]
    points.append(
        (
            "the report",
            "+",
            [result.weights for result in reported],
            [result.report.test_accuracy for result in reported if result.report],
        )
    )
    shown = [point for point in points if point[2]]
    accuracies = [accuracy for *_, ys in shown for accuracy in ys]
    low = floor(min(accuracies))
    high = max(ceil(max(accuracies)), low + 1)
    all_weights = sorted({weight for *_, xs, _ in shown for weight in xs})

    figure = plotext.subplots(1, 1)
    figure.plot_size(*CHART_SIZE)
    figure.theme("clear")
    figure.xlim(log10(all_weights[0] / CHART_MARGIN), log10(all_weights[-1] * CHART_MARGIN))
    figure.ylim(low, high)
    figure.yticks(range(low, high + 1), [f"{tick}%" for tick in range(low, high + 1)])
    figure.xticks(
        [log10(weight) for weight in all_weights],
        [f"{weight / 1000:.0f}k" for weight in all_weights],
    )
    for _, marker, xs, ys in shown:
        figure.scatter([log10(x) for x in xs], ys, marker=marker)
    legend = "   ".join(f"{marker} {title}" for title, marker, *_ in shown)
    print(f"\nTest accuracy against weights   {legend}\n{figure.build()}")


def _drawn(title: str, header: Sequence[str], words: Sequence[str] = ()) -> RichTable:
    drawn = RichTable(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for number, name in enumerate(header):
        drawn.add_column(Text(name), justify="left" if not number or name in words else "right")
    return drawn


def _weights(spec: RunSpec) -> str:
    by_the_report = spec.report_weights
    rule = "" if by_the_report is None else f" (by the report's rule {by_the_report:,})"
    return f"{spec.weights:,}{rule}"


def _count(weights: int | None) -> str:
    return "–" if weights is None else f"{weights:,}"


def _percent(accuracy: float | None) -> str:
    return "–" if accuracy is None else f"{accuracy:.2f}"
