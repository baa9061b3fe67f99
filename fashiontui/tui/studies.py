"""From a study to what the Tune screen shows of it."""

from textwrap import wrap

from rich.text import Text

from fashiontui.domain.shapes import FAMILIES
from fashiontui.domain.space import Range, Value
from fashiontui.domain.study import Limits, StudyView, Trial, TrialState
from fashiontui.domain.text import printable
from fashiontui.tui import text
from fashiontui.tui.queue import Turn
from fashiontui.tui.widgets.dots import Axis, Dot

TRIAL_GLYPHS = {
    TrialState.RUNNING: "▶ training",
    TrialState.STOPPED: "■ stopped",
    TrialState.COMPLETE: "✓ complete",
    TrialState.PRUNED: "× pruned",
    TrialState.FAILED: "✗ failed",
}
"""A glyph and a word for each state."""
PLANNED = "The built-in space around the\nlab's recipe; t begins the study."
"""Said of a study that is yet to begin."""
TURNS = {
    Turn.RESTS: "■ rests",
    Turn.WAITS: "… waits for its turn",
    Turn.TRAINS: "▶ trains",
    Turn.PAUSES: "▶ pauses after this trial",
    Turn.STOPS: "■ stops",
}
"""What is said of a study that does this."""
WIDTH = 30
"""Columns of the panel that says how a study stands, where it is narrowest."""
SAMPLERS = {"tpe": "TPE", "random": "random", "grid": "grid"}
"""What samplers are called."""
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


def searched(view: StudyView) -> Text:
    """What a study is called, and what it searches."""
    spec = view.spec
    family = FAMILIES[spec.arch].title if spec.arch in FAMILIES else spec.arch
    aim = f"accuracy against {spec.against}" if spec.against else "accuracy"
    return Text.assemble(
        (printable(view.name), "bold"),
        f"\n{family} within {spec.budget:,} weights\n{aim}, {SAMPLERS[spec.sampler]}",
    )


def standing(view: StudyView, limits: Limits, turn: Turn) -> str:
    """How a study stands, in a few lines.

    Args:
        view: The study.
        limits: When it is over.
        turn: What it does now.
    """
    counts = {state: sum(trial.state is state for trial in view.trials) for state in TrialState}
    parts = ", ".join(f"{count}\N{NO-BREAK SPACE}{s.value}" for s, count in counts.items() if count)
    scored = [trial for trial in view.trials if trial.test_accuracy is not None]
    now = TURNS[turn]
    if turn is Turn.RESTS:
        over = "✓ is over" if scored else "■ rests: t scores the best"
        now = over if limits.met_by(view) else f"{now}: t goes on{_until(limits)}"
    lines = [now, *(wrap(parts, WIDTH) or ["no trial yet"])]
    if best := view.best:
        lines.append(f"best {text.percent(best.val_accuracy)} % (trial {best.number})")
    lines += [f"test {text.percent(t.test_accuracy)} % (trial {t.number})" for t in scored]
    return "\n".join(lines)


def _until(limits: Limits) -> str:
    ends = [f"{limits.trials} trials"] if limits.trials else []
    if limits.target:
        ends.append(f"{limits.target:g} %")
    return f"\n  until {' or '.join(ends)}" if ends else ""


def best_dots(
    view: StudyView, here: int | None
) -> tuple[list[Dot], Axis, list[tuple[float, float]]]:
    """Trials by number with the best so far, or by their cost with the Pareto set."""
    against = view.spec.against
    trials = [trial for trial in view.trials if trial.val_accuracy is not None]
    if against is None:
        dots = [_dot(trial, float(trial.number), here) for trial in _here_last(trials, here)]
        line = _steps([(float(number), best) for number, best in view.best_so_far()])
        last = max((trial.number for trial in trials), default=1)
        return dots, Axis(0, last, whole=True), line
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
