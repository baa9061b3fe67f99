"""The headless front end of tuning: narrates on stderr, prints what came of a study on stdout."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from msgspec import structs
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from fashiontui import paths
from fashiontui.domain.errors import ExitCode, UsageError
from fashiontui.domain.extras import needed
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import DataChoice
from fashiontui.domain.study import StudySpec, StudyView, Trial, TrialState
from fashiontui.export.study import outcome_lines, study_document, trials_table
from fashiontui.export.terminal import print_table, stdout_console
from fashiontui.narration import download_bar, notice
from fashiontui.signals import Signals

if TYPE_CHECKING:
    from fashiontui.data import Dataset
    from fashiontui.tuning import Limits, Study


def run_study(
    spec: StudySpec | None,
    name: str | None,
    trials: int | None,
    target: float | None,
    seconds: float | None,
    data: DataChoice,
    folders: list[Path],
    store: str,
    as_json: bool,
) -> int:
    """Search until the study is over, score its chosen trial, and print what came of it.

    Args:
        spec: What to search, on the data set that could be had; None goes on with what is there.
        name: Of the study; after family and budget when None.
        trials: Trials of the study in all.
        target: Test accuracy that is asked for, in percent.
        seconds: Longest search.
        data: Which data set was asked for.
        folders: Where to look for it; a download goes to the first.
        store: URL or path of the store.
        as_json: Whether stdout gets a document instead of tables.

    Returns:
        ``RUN_FAILED`` when no trial was finished or the target was not reached, 128 and its number
        after a signal, else ``DONE``.

    Raises:
        FashiontuiError: data, device, store or study are not to be had.
    """
    console = Console(stderr=True, highlight=False)
    signals = Signals("go on with the same command")
    with signals.listening():
        try:
            with console.status("Loading torch"), signals.obeyed_at_once():
                from fashiontui.data import load
                from fashiontui.engine import find_device
                from fashiontui.store import Store

                with needed("Tuning"):
                    from fashiontui.tuning import Limits, Studies
            with closing(Store(store)) as kept, closing(Studies(kept)) as studies:
                if spec is None:
                    assert name is not None
                    study = studies.open(name)
                    if data not in ("auto", study.spec.dataset):
                        raise UsageError(f"The study {name!r} is on {study.spec.dataset}.")
                    data = study.spec.dataset
                with download_bar(console) as arrived:
                    images = load(data, folders, lambda text: notice(console, text), arrived)
                if spec is not None:
                    study = studies.begin(structs.replace(spec, dataset=images.name), name)
                images = images.to(find_device(study.spec.device))
                limits = Limits(trials, target)
                search = _Search(study, limits, seconds, images, console, signals)
                return search.run(as_json)
        except KeyboardInterrupt:
            if console.is_terminal and signals.received == getattr(signal, "SIGHUP", None):
                console.file = open(os.devnull, "w")  # noqa: SIM115  # it is gone
            notice(console, "interrupted; the same command goes on with the study.")
            return signals.exit_code


class _Search:
    """One process's part in a study."""

    def __init__(
        self,
        study: "Study",
        limits: "Limits",
        seconds: float | None,
        images: "Dataset",
        console: Console,
        signals: Signals,
    ) -> None:
        self._study = study
        self._limits = limits
        self._give_up = monotonic() + seconds if seconds is not None else None
        self._images = images
        self._console = console
        self._signals = signals

    def run(self, as_json: bool) -> int:
        """Search, score, print; return the exit code.

        Raises:
            KeyboardInterrupt: a signal asked to stop; the trial under way is saved.
        """
        self._train_trials()
        scored = self._score()
        studies, name = self._study.studies, self._study.name
        view = replace(studies.view(name), importances=studies.importances(name))
        target = self._limits.target
        if as_json:
            print(json.dumps(study_document(view, scored, target), indent=2))
        else:
            print_table(trials_table(view))
            for line in outcome_lines(view, scored, target):
                stdout_console().print(Text(line))
        return self._exit_code(view, scored)

    def _train_trials(self) -> None:
        from fashiontui.tuning import next_trial

        if self._console.is_terminal and (url := self._study.studies.url):
            notice(
                self._console, f"study {self._study.name!r}; see it with: optuna-dashboard {url}"
            )
        with _bars(self._console, self._limits.trials) as shown:
            while not self._is_late():
                with self._signals.noted():
                    events = next_trial(
                        self._study, self._limits, self._images, paths.measurements_file()
                    )
                    if events is None:
                        return
                    history = History()
                    with closing(events):
                        for event in events:
                            history.fold(event)
                            shown.draw(history)
                            if self._signals.received is not None or self._is_late():
                                break
                if self._signals.received is not None:
                    raise KeyboardInterrupt
                shown.count(self._study.studies.view(self._study.name))

    def _is_late(self) -> bool:
        return self._give_up is not None and monotonic() > self._give_up

    def _score(self) -> tuple[Trial, RunRecord] | None:
        from fashiontui.tuning import score_chosen

        with self._signals.noted(), self._console.status("Scoring the chosen trial"):
            scoring = score_chosen(self._study, self._limits.target, self._images)
            with closing(scoring):
                while self._signals.received is None:
                    try:
                        next(scoring)
                    except StopIteration as end:
                        found: tuple[Trial, RunRecord] | None = end.value
                        return found
        raise KeyboardInterrupt

    def _exit_code(self, view: StudyView, scored: tuple[Trial, RunRecord] | None) -> ExitCode:
        if scored is None:
            others = any(trial.state is TrialState.RUNNING for trial in view.trials)
            if view.complete and others:
                notice(self._console, "other processes still train trials of this study; the last "
                       "one to end scores the chosen trial.")  # fmt: skip
                return ExitCode.DONE
            notice(self._console, "no trial was finished; the same command with more --trials or "
                   "--time goes on.")  # fmt: skip
            return ExitCode.RUN_FAILED
        trial, record = scored
        target = self._limits.target
        if target is None:
            return ExitCode.DONE
        reached = trial.promises(target) and (record.test_accuracy or 0.0) > target
        return ExitCode.DONE if reached else ExitCode.RUN_FAILED


class _Shown:
    """Two bars on stderr: the study's trials, and the present one."""

    def __init__(self, bars: Progress, trials: int | None) -> None:
        self._bars = bars
        self._all = bars.add_task("Trials", total=trials, told="")
        self._run = bars.add_task("", total=None, told="", visible=False)

    def draw(self, history: History) -> None:
        """Show how far the trial is."""
        if history.started is None:
            return
        told = f"val {history.epochs[-1].val_accuracy:.2f}%" if history.epochs else ""
        self._bars.update(
            self._run,
            description=history.started.spec.title,
            total=history.steps,
            completed=history.steps_done,
            told=told,
            visible=True,
        )

    def count(self, view: StudyView) -> None:
        """Show how many trials are over, and the best of them."""
        over = sum(trial.state.is_over for trial in view.trials)
        told = f"best val {view.best.val_accuracy:.2f}%" if view.best else ""
        self._bars.update(self._all, completed=over, told=told)


@contextmanager
def _bars(console: Console, trials: int | None) -> Iterator[_Shown]:
    """Live bars; nothing where stderr is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bars:
        yield _Shown(bars, trials)
