"""From a study to what the Tune screen shows of it."""

from rich.text import Text

from fashiontui.domain.space import Range, Value
from fashiontui.domain.study import StudyView, Trial, TrialState
from fashiontui.tui import text
from fashiontui.tui.widgets.dots import Axis, Dot

TRIAL_GLYPHS = {
    TrialState.RUNNING: "▶ training",
    TrialState.COMPLETE: "✓ complete",
    TrialState.PRUNED: "× pruned",
    TrialState.FAILED: "✗ failed",
}
"""A glyph and a word for each state."""
NEEDED = "Importances appear after ten complete trials."


def shown_value(value: Value | None) -> str:
    """A parameter's value, short."""
    if value is None:
        return text.NOTHING
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def by_importance(view: StudyView) -> list[str]:
    """Parameters with more than one value, the most important first."""
    places = {name: place for place, name in enumerate(view.importances or ())}
    several = [
        name
        for name, values in view.spec.choices().items()
        if isinstance(values, Range) or len(values) > 1
    ]
    return sorted(several or view.spec.choices(), key=lambda name: places.get(name, len(places)))


def standing(view: StudyView | None, queued: bool, trains: bool) -> str:
    """How a study stands, in a few lines."""
    if view is None:
        return "The built-in space around the\nlab's recipe; t begins the study."
    counts = {state: sum(trial.state is state for trial in view.trials) for state in TrialState}
    parts = [f"{count} {state.value}" for state, count in counts.items() if count]
    now = "▶ trains" if trains else "… waits for its turn" if queued else "■ rests: t goes on"
    lines = [now, ", ".join(parts) or "no trial yet"]
    if best := view.best:
        lines.append(f"best {text.percent(best.val_accuracy)} % (trial {best.number})")
    return "\n".join(lines)


def best_dots(
    view: StudyView, here: int | None
) -> tuple[list[Dot], Axis, list[tuple[float, float]]]:
    """Trials by number with the best so far, or by their cost with the Pareto set."""
    against = view.spec.against
    trials = [trial for trial in view.trials if trial.val_accuracy is not None]
    if against is None:
        dots = [_dot(trial, float(trial.number), here) for trial in _here_last(trials, here)]
        line = _steps([(float(number), best) for number, best in view.best_so_far()])
        return dots, Axis(0, max((trial.number for trial in trials), default=1)), line
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    dots = [_dot(trial, trial.cost(against), here) for trial in _here_last(complete, here)]
    line = _steps([(t.cost(against), t.val_accuracy or 0.0) for t in view.pareto])
    costs = [dot.x for dot in dots]
    return dots, Axis(min(costs, default=0), max(costs, default=1)), line


def slice_dots(view: StudyView, name: str, here: int | None) -> list[Dot]:
    """Trials along a parameter."""
    values = view.spec.choices()[name]
    dots = []
    for trial in _here_last(view.trials, here):
        if trial.val_accuracy is None or name not in trial.params:
            continue
        value = trial.params[name]
        if isinstance(values, Range):
            dots.append(_dot(trial, float(value), here))
        else:
            dots.append(_dot(trial, float(values.index(value)), here))
    return dots


def slice_axis(view: StudyView, name: str) -> Axis:
    """The values that a parameter may have."""
    values = view.spec.choices()[name]
    if isinstance(values, Range):
        return Axis(values.low, values.high, values.log)
    return Axis(0, len(values) - 1, names=tuple(shown_value(value) for value in values))


def importance_bars(view: StudyView | None, width: int) -> Text:
    """A bar for each parameter."""
    if view is None or not view.importances:
        return Text(NEEDED, style="dim")
    lines = []
    for name, share in view.importances.items():
        bar = "━" * round(width * share) or "╸"
        lines.append(f"{name.replace('_', ' '):<15} {share:>4.0%} {bar}")
    return Text("\n".join(lines), no_wrap=True)


def _steps(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of a stair through these."""
    stairs = points[:1]
    for point in points[1:]:
        stairs += [(point[0], stairs[-1][1]), point]
    return stairs


def _here_last(trials: "tuple[Trial, ...] | list[Trial]", here: int | None) -> list[Trial]:
    """The trial under the cursor is drawn on top."""
    return sorted(trials, key=lambda trial: trial.number == here)


def _dot(trial: Trial, x: float, here: int | None) -> Dot:
    complete = trial.state is TrialState.COMPLETE
    glyph, look = ("●", "complete") if complete else ("×", "pruned")
    if trial.number == here:
        glyph, look = "◆", "here"
    return Dot(x, trial.val_accuracy or 0.0, glyph, look)
