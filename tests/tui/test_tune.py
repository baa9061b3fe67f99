"""The Tune screen: every key does what it says, on studies whose trials are made by formulas."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from driving import drive, opened, press, settle, until
from making import made_record
from scripted import ScriptedApp, fill
from scripted_study import fill_study
from textual.pilot import Pilot
from textual.widgets import Static

from fashiontui import paths
from fashiontui.config import Config
from fashiontui.domain.study import TrialState
from fashiontui.store import Store
from fashiontui.tui.app import FashionTui
from fashiontui.tui.choice import Choice
from fashiontui.tui.queue import StudyTurn
from fashiontui.tui.screens.details import Details
from fashiontui.tui.screens.lab import LabScreen
from fashiontui.tui.screens.tune import SEEDS, Tune
from fashiontui.tui.widgets.dots import Dots
from fashiontui.tui.widgets.picker import Picker

Scenario = Callable[[ScriptedApp, Tune, Pilot[Any]], Awaitable[None]]


def drive_tune(scenario: Scenario, size: tuple[int, int] = (150, 45), **how: Any) -> ScriptedApp:
    """Run a scenario on the Tune screen of an app with a study, unless ``trials`` is 0."""
    app = ScriptedApp()
    fill(app.library.store())
    if how.get("trials") != 0:
        fill_study(app.library.studies(), **{"trials": 14, **how})

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            await press(pilot, "o")
            assert isinstance(app.screen, Tune)
            await scenario(app, app.screen, pilot)

    asyncio.run(run())
    return app


def said(screen: Tune) -> str:
    return str(screen.query_one("#study-says", Static).content)


def test_o_opens_the_newest_study_with_the_best_trials_first_and_escape_goes_back() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        assert screen.panel.picked == "fcn-100k"
        assert screen.table.row_count == 14
        trials = screen.table.trials
        assert trials[0].state is TrialState.RUNNING
        accuracies = [trial.val_accuracy for trial in trials[1:]]
        assert accuracies == sorted(accuracies, reverse=True)
        assert "rests: t goes on\n  until 40 trials" in said(screen)
        await press(pilot, "escape")
        assert isinstance(app.screen, LabScreen)

    drive_tune(scenario)


def test_t_p_and_s_let_the_study_go_on_pause_it_and_stop_its_trial() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        form = await screen.panel.ask()
        form.field("target").value = "88.5"
        await press(pilot, "t")
        [job] = app.queue.waiting
        assert job.study == StudyTurn("fcn-100k", 40, 88.5)
        await press(pilot, "t")
        assert app.queue.waiting == (job,)
        assert "waits for its turn" in said(screen)
        assert app.queue.take() == job
        await press(pilot, "p")
        assert "pauses after this trial" in said(screen)
        assert not app.queue.is_ending(job)
        app.queue.again(job)
        assert app.queue.waiting == ()
        await press(pilot, "t")
        await press(pilot, "s")
        assert app.queue.is_ending(job)

    drive_tune(scenario)


def test_trials_and_targets_that_cannot_be_read_are_said_and_nothing_begins() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        form = await screen.panel.ask()
        form.field("target").value = "880"
        await press(pilot, "t")
        assert "between 0 and 100" in form.field("target").error
        assert app.queue.waiting == ()

    drive_tune(scenario)


def test_a_new_study_is_of_the_forms_family_and_budget() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        assert not screen.query_one("#best", Dots)._dots
        form = screen.panel.form
        assert form is not None
        form.field("arch").value = "cnn"
        form.field("budget").value = "20k"
        form.field("against").value = "weights"
        await press(pilot, "t")
        spec = app.library.studies().view("cnn-20k-weights").spec
        assert (spec.arch, spec.budget, spec.recipe) == ("cnn", 20_000, "fast")
        assert screen.panel.picked == "cnn-20k-weights"
        assert screen.panel.form is None
        assert [job.study and job.study.name for job in app.queue.waiting] == ["cnn-20k-weights"]

    drive_tune(scenario, trials=0)


def test_a_new_study_that_searches_otherwise_has_a_name_of_its_own() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        for sampler, name in {"tpe": "fcn-100k-2", "random": "fcn-100k"}.items():
            await press(pilot, "n")
            form = screen.panel.form
            assert form is not None
            form.field("budget").value = "100k"
            form.field("sampler").value = sampler
            await press(pilot, "t")
            assert screen.panel.picked == name

    drive_tune(scenario, trials=3)


def test_n_opens_the_form_of_a_new_study_and_escape_returns_to_the_one_before() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        shares = screen._view and screen._view.importances
        await press(pilot, "n")
        assert screen.panel.picked is None
        assert screen.table.row_count == 0
        await press(pilot, "escape")
        assert screen.panel.form is None
        assert screen.panel.picked == "fcn-100k"
        assert screen._view is not None
        assert screen._view.importances == shares is not None

    drive_tune(scenario)


def test_another_study_is_picked_and_its_search_shown() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        fill_study(app.library.studies(), 3, name="other", against="time", sampler="random")
        await press(pilot, "ctrl+r", "1")
        form = screen.panel.form
        assert form is not None
        control = form.field("study").control
        assert isinstance(control, Picker)
        control.value = "other"
        await settle(pilot)
        assert screen.table.row_count == 3
        assert form.field("against").value == "time"
        assert form.field("sampler").control.disabled
        await press(pilot, "escape")
        assert said(screen).startswith("other\nFCN within 100,000 weights\naccuracy against time")

    drive_tune(scenario)


def test_r_queues_the_trials_network_with_five_seeds() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        await press(pilot, "down", "r")
        trial = screen.table.trials[1]
        jobs = app.queue.waiting
        assert [job.spec.seed for job in jobs] == list(range(SEEDS))
        assert {job.study for job in jobs} == {None}
        assert jobs[0].spec.settings.lr == trial.params["lr"]

    drive_tune(scenario)


def test_the_slice_goes_from_parameter_to_parameter_the_most_important_first() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        chart = screen.query_one("#slice", Dots)
        assert screen._view is not None and screen._view.importances is not None
        first, second = (name.replace("_", " ") for name in [*screen._view.importances][:2])
        assert str(chart.border_title).startswith(f"3 Slice: {first} (")
        await press(pilot, "greater_than_sign")
        assert str(chart.border_title).startswith(f"3 Slice: {second} (")
        await press(pilot, "less_than_sign")
        assert str(chart.border_title).startswith(f"3 Slice: {first} (")

    drive_tune(scenario)


def test_enter_opens_a_trials_run_or_says_that_it_is_gone() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        await press(pilot, "enter")  # trial 13: the store has runs 0 to 5 alone
        assert any("no longer stored" in n.message for n in app._notifications)
        place = next(i for i, trial in enumerate(screen.table.trials) if trial.number == 2)
        screen.table.move_cursor(row=place)
        await press(pilot, "enter")
        assert isinstance(app.screen, Details)

    drive_tune(scenario)


def test_a_chart_of_two_objectives_has_the_pareto_set() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        chart = screen.query_one("#best", Dots)
        assert "by time" in str(chart.border_title)
        assert chart._line

    drive_tune(scenario, against="time")


def test_digits_go_to_a_panel() -> None:
    async def scenario(app: ScriptedApp, screen: Tune, pilot: Pilot[Any]) -> None:
        panels = ["#study", "#best", "#slice", "#trials", "#importances"]
        for key, panel in enumerate(panels, start=1):
            await press(pilot, str(key))
            assert [p for p in panels if screen.query_one(p).display] == [panel]

    drive_tune(scenario, size=(60, 20), trials=4)


def test_a_study_trains_on_the_one_thread_stops_and_goes_on_to_its_end(tmp_path: Path) -> None:
    recipes = paths.recipe_folder()
    recipes.mkdir(parents=True)
    # Long enough for a key to be pressed before a trial is over, on a busy machine too.
    (recipes / "long.toml").write_text("[settings]\nepochs = 40")
    choice = Choice(recipe="long")
    app = FashionTui(str(tmp_path / "runs.db"), "sample", [tmp_path], choice, Config())

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: bool(app.lab.configure.dataset == "sample"))
            await pilot.press("o")
            await until(pilot, lambda: isinstance(app.screen, Tune))
            screen = app.screen
            assert isinstance(screen, Tune)
            await until(pilot, lambda: screen.panel.form is not None)
            form = screen.panel.form
            assert form is not None
            form.field("budget").value = "5k"
            form.field("trials").value = "3"
            await pilot.press("t")
            await until(pilot, lambda: screen.table.row_count > 0)
            await pilot.press("s")
            await until(pilot, lambda: app.queue.current is None)
            await until(pilot, lambda: "■ stopped" in screen.table.get_row_at(0))
            await pilot.press("t")

            def runs() -> list[Any]:
                return app.library.store().runs()

            await until(pilot, lambda: any(run.test_accuracy is not None for run in runs()))
            await until(pilot, lambda: app.queue.current is None)
            assert sorted(run.trial for run in runs()) == [0, 1, 2]
            assert sum(run.test_accuracy is not None for run in runs()) == 1
            await until(pilot, lambda: "✓ is over" in said(screen))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.lab)
            await pilot.press("q")
            await until(pilot, lambda: not app.is_running)

    asyncio.run(run())


def test_a_trial_is_a_run_on_the_board_marked_as_one() -> None:
    def stored(store: Store) -> None:
        store.restore(replace(made_record(), study="fcn-100k", trial=3, test_accuracy=None))
        store.restore(made_record("cnn-10k", run_id="0" * 12))

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "slash", *"trial", "enter")
        table = app.lab.board.table
        assert table.row_count == 1
        assert "✓ trial 3" in [cell.plain for cell in table.get_row_at(0)]
        screen = await opened(pilot, Details, "enter")
        facts = [*screen._facts().columns[1].cells]
        assert "trial 3 of fcn-100k" in [str(fact) for fact in facts]

    drive(scenario, stored=stored)
