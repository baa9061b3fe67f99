"""What came of a study: a table, a few lines, and a document."""

from msgspec import to_builtins

from fashiontui.domain.record import RunRecord
from fashiontui.domain.space import Value
from fashiontui.domain.study import SHAPE, TARGET_MARGIN, StudyView, Trial
from fashiontui.export.documents import SCHEMA, Document, run_object
from fashiontui.export.tables import Table, clock

MOST_ROWS = 20
"""Trials in the table, the best first; the document has all."""


def told(value: Value) -> str:
    """A parameter's value, short."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def settings_told(trial: Trial) -> str:
    """A trial's settings in one line."""
    return ", ".join(
        f"{name.replace('_', ' ')} {told(value)}"
        for name, value in trial.params.items()
        if name != SHAPE
    )


def by_accuracy(view: StudyView) -> list[Trial]:
    """Every trial, the most accurate first; those that have no epoch yet last."""
    return sorted(view.trials, key=lambda trial: -(trial.val_accuracy or 0.0))


def trials_table(view: StudyView) -> Table:
    """The best trials with their parameters."""
    pareto = {trial.number for trial in view.pareto}
    rows = [
        (
            f"{trial.number}{' *' if trial.number in pareto else ''}",
            trial.state.value,
            "–" if trial.val_accuracy is None else f"{trial.val_accuracy:.2f}",
            str(trial.epochs),
            f"{trial.weights:,}",
            "–" if trial.train_seconds is None else clock(trial.train_seconds),
            str(trial.params[SHAPE]),
            settings_told(trial),
        )
        for trial in by_accuracy(view)[:MOST_ROWS]
    ]
    count = len(view.trials)
    shown = f"the best {MOST_ROWS} of " if count > MOST_ROWS else ""
    title = f"Study {view.name}: {shown}{count} trial{'s' if count != 1 else ''}"
    header = ("Trial", "State", "Val %", "Epochs", "Weights", "Time", "Shape", "Settings")
    return Table(title, header, tuple(rows), ("State", "Shape", "Settings"))


def outcome_lines(
    view: StudyView, scored: tuple[Trial, RunRecord] | None, target: float | None
) -> list[str]:
    """What was chosen, and what it came to."""
    against = view.spec.against
    lines = [
        f"* of the Pareto set: no other trial is as accurate with less {against}."
        if against
        else "* the most accurate on validation."
    ]
    if view.importances:
        shares = [f"{name} {share:.0%}" for name, share in view.importances.items()]
        lines.append(f"What decided whether a trial was among the best: {', '.join(shares)}.")
    if scored is None:
        return lines
    trial, record = scored
    interval = record.test_interval
    low, high = interval if interval else (0.0, 0.0)
    lines.append(
        f"Chosen on validation: trial {trial.number}, run {record.id}, "
        f"{record.spec.title} with {record.spec.weights:,} weights."
    )
    lines.append(
        f"Its test set, scored once: {record.test_accuracy:.2f}%, 95% {low:.2f}–{high:.2f}; "
        f"validation {record.val_accuracy:.2f}%."
    )
    if target is not None:
        needed = target + TARGET_MARGIN
        promised = "reached" if trial.promises(target) else "not reached"
        came = "above" if (record.test_accuracy or 0.0) > target else "NOT ABOVE"
        lines.append(
            f"Target {target:g}%: the {needed:g}% asked of validation were {promised}; "
            f"the test accuracy is {came} {target:g}%."
        )
    return lines


def study_document(
    view: StudyView, scored: tuple[Trial, RunRecord] | None, target: float | None
) -> Document:
    """What ``tune --json`` prints."""
    spec = view.spec
    searched = to_builtins(spec)
    del searched["dataset"]
    return {
        "schema": SCHEMA,
        "dataset": spec.dataset,
        "study": {"name": view.name, **searched},
        "trials": [_trial_object(trial) for trial in view.trials],
        "importances": view.importances,
        "pareto": [trial.number for trial in view.pareto],
        "target": None if target is None else _target_object(view, scored, target),
        "chosen": None if scored is None else {"trial": scored[0].number}
        | {"run": run_object(scored[1])},
    }  # fmt: skip


def _trial_object(trial: Trial) -> Document:
    return {
        "number": trial.number,
        "state": trial.state.value,
        "run": trial.run_id,
        "params": dict(trial.params),
        "weights": trial.weights,
        "epochs": trial.epochs,
        "val_accuracy": trial.val_accuracy,
        "train_seconds": trial.train_seconds,
    }


def _target_object(
    view: StudyView, scored: tuple[Trial, RunRecord] | None, target: float
) -> Document:
    return {
        "test_accuracy": target,
        "val_accuracy": target + TARGET_MARGIN,
        "reached_on_validation": bool(view.reaching(target)),
        "reached_on_test": None if scored is None else (scored[1].test_accuracy or 0.0) > target,
    }
