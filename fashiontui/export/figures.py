"""The report's figures and the Pareto plot, drawn by matplotlib from stored histories."""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fashiontui.domain.extras import extra
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.results import Result
from fashiontui.domain.shapes import FAMILIES

with extra("figures", "Drawing figures"):
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURE_1 = ("fcn-100k", "cnn-100k")
"""The report's figure 1: FCN and CNN of 100K weights."""
FIGURE_2 = ("cnn-50k", "cnn-20k", "cnn-10k")
"""Its figure 2: the smaller CNNs."""
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#666666"
"""Colours that colour-blind people tell apart (Okabe and Ito 2008); lines differ by style too."""
_FAMILY_STYLES = dict(
    zip(FAMILIES, ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D")), strict=False)
)
STYLE: Any = {
    "font.size": 9.0,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "svg.hashsalt": "fashiontui",
    "figure.constrained_layout.use": True,
}
"""Plain, in print and on screen; the salt makes the same figure the same SVG."""
DOTS_PER_INCH = 160


def figures(found: Sequence[Result], compared: Sequence[Result]) -> dict[str, "Figure"]:
    """Those figures for which the runs are there, by name: figure-1, figure-2, pareto.

    Args:
        found: All results, in the Pareto plot.
        compared: One result of each of the report's models, in figures 1 and 2.
    """
    by_name = {result.title: result for result in compared}
    drawn: dict[str, Figure] = {}
    with matplotlib.rc_context(STYLE):
        for name, models, with_val_loss in (
            ("figure-1", FIGURE_1, True),
            ("figure-2", FIGURE_2, False),
        ):
            if all(model in by_name for model in models):
                drawn[name] = _curves([by_name[model] for model in models], with_val_loss)
        if found:
            drawn["pareto"] = _pareto(found)
    return drawn


def rendered(figure: "Figure", form: str) -> bytes:
    """A figure as a file.

    Args:
        figure: One of ``figures``.
        form: png, svg or pdf.
    """
    dateless: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    written = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(written, format=form, dpi=DOTS_PER_INCH, metadata=dateless.get(form))
    return written.getvalue()


def caption(name: str) -> str:
    """What a figure shows."""
    return {
        "figure-1": "Figure 1. Loss and validation accuracy of FCN-100K (A) and CNN-100K (B).",
        "figure-2": "Figure 2. Training loss and validation accuracy of CNN-50K (A), CNN-20K (B) "
        "and CNN-10K (C).",
        "pareto": "Test accuracy against weights. The frontier joins networks that none with as "
        "few weights exceeds; the others are hollow.",
    }[name]


def _curves(found: Sequence[Result], with_val_loss: bool) -> "Figure":
    """A row for each model: loss on the left, validation accuracy on the right, seeds thin."""
    figure = Figure(figsize=(7.2, 2.5 * len(found)))
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(found), 2, sharey="col", squeeze=False)
    for row, (result, letter) in enumerate(zip(found, "ABC", strict=False)):
        losses, accuracies = axes[row]
        title = f"({letter}) {result.title.upper()}, {result.weights:,} weights"
        losses.set_title(title, loc="left", fontsize=9, fontweight="bold")
        _draw(losses, result, lambda epoch: epoch.train_loss, BLUE, "-", "training loss")
        if with_val_loss:
            _draw(losses, result, lambda epoch: epoch.val_loss, ORANGE, "--", "validation loss")
        _draw(accuracies, result, lambda epoch: epoch.val_accuracy, GREEN, "-", "validation")
        reported = REPORT_MODELS[result.title].val_accuracy
        label = f"the report, after 25 epochs: {reported:.2f}%"
        accuracies.axhline(reported, color=GREY, linestyle=":", linewidth=1.2, label=label)
        losses.set_ylabel("cross-entropy")
        accuracies.set_ylabel("validation accuracy, %")
        for axis in (losses, accuracies):
            axis.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
            axis.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
            axis.legend()
    for axis in axes[-1]:
        axis.set_xlabel("epoch")
    return figure


def _draw(
    axes: "Axes",
    result: Result,
    value: Callable[[Any], float],
    colour: str,
    line: str,
    label: str,
) -> None:
    """One curve a seed; the first is named."""
    for number, run in enumerate(result.runs):
        axes.plot(
            [epoch.epoch for epoch in run.epochs],
            [value(epoch) for epoch in run.epochs],
            color=colour,
            linestyle=line,
            linewidth=1.6 if len(result.runs) == 1 else 0.9,
            marker="." if len(run.epochs) <= 30 else None,
            label=label if number == 0 else None,
        )


def _pareto(found: Sequence[Result]) -> "Figure":
    """Accuracy against weights, the report's points beside ours, 95% intervals as bars."""
    figure = Figure(figsize=(7.2, 4.4))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    best = frontier(found)
    for family in FAMILIES.values():
        ours = [result for result in found if result.arch == family.name]
        if not ours:
            continue
        colour, marker = _FAMILY_STYLES.get(family.name, (GREY, "v"))
        axes.plot([], [], color=colour, marker=marker, linestyle="none", label=family.title)
        for result in ours:
            low, high = result.interval
            axes.errorbar(
                result.weights,
                result.test_accuracy,
                yerr=[[result.test_accuracy - low], [high - result.test_accuracy]],
                color=colour,
                marker=marker,
                markersize=6,
                markerfacecolor=colour if result in best else "white",
                linestyle="none",
                elinewidth=1,
            )
    reported = {result.title: result for result in found if result.report}.values()
    if reported:
        axes.plot(
            [result.weights for result in reported],
            [result.report.test_accuracy for result in reported if result.report],
            color="black",
            marker="x",
            linestyle="none",
            zorder=5,
            label="the report",
        )
    axes.plot(
        [result.weights for result in best],
        [result.test_accuracy for result in best],
        color=GREY,
        linestyle="--",
        linewidth=1,
        zorder=0,
        label="frontier",
    )
    axes.set_xscale("log")
    _label_weights(axes, [result.weights for result in found])
    axes.set_xlabel("weights (every trainable parameter)")
    axes.set_ylabel("test accuracy, %; bars: 95% of the test images")
    axes.legend(loc="lower right")
    return figure


def frontier(found: Sequence[Result]) -> list[Result]:
    """Results that no other beats in test accuracy with as few weights, the smallest first."""
    best: list[Result] = []
    for result in sorted(found, key=lambda one: (one.weights, -one.test_accuracy)):
        if not best or result.test_accuracy > best[-1].test_accuracy:
            best.append(result)
    return best


def _label_weights(axes: "Axes", weights: Sequence[int]) -> None:
    """Ticks at 1, 2 and 5 times the powers of ten, as budgets are spoken of."""
    low, high = min(weights) / 1.4, max(weights) * 1.4
    ticks = [step * 10**power for power in range(9) for step in (1, 2, 5)]
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda weight, _: _short(weight)))


def _short(weight: float) -> str:
    return f"{weight / 1e6:g}M" if weight >= 1e6 else f"{weight / 1e3:g}k"
