"""Teachers and kernels in the form: chosen, explained, refused, remembered."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from driving import drive, press, settle, until
from scripted import ScriptedApp, named_network, spec_of, story
from textual.pilot import Pilot
from textual.widgets import Collapsible

from fashiontui import paths
from fashiontui.domain.events import EpochEnded, RunFinished, RunStarted, Status
from fashiontui.domain.recipe import NO_TEACHER
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.store.store import Store
from fashiontui.tui.choice import Choice, load_choice
from fashiontui.tui.messages import DataFound, Device, TorchLoaded
from fashiontui.tui.widgets.fields import Field
from fashiontui.tui.widgets.picker import Picker

CPU = (Device("cpu", "AMD EPYC", 64.0),)


def store_runs(store: Store, seeds: int = 2) -> None:
    """A row of seeds, a run below it and one that failed, without pictures and predictions."""
    asked = [spec_of(named_network("fcn-100k"), seed=seed, epochs=1) for seed in range(seeds)]
    asked += [spec_of(named_network("fcn-50k"), seed=seed, epochs=1) for seed in range(2)]
    for number, spec in enumerate(asked):
        run_id = f"{number:012x}"
        for event in story(run_id, spec, 1, Status.RUNNING):
            match event:
                case RunStarted():
                    store.begin(event)
                case EpochEnded():
                    store.add_epoch(event)
        failed = spec is asked[-1]
        digest = None if failed else sha256(run_id.encode()).hexdigest()
        state = Status.FAILED if failed else Status.FINISHED
        store.end(RunFinished(run_id, state, None, 1.0, 1.0, None, None, digest))


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[Store], None]:
    """Stores runs, each with a file of weights."""

    def with_weights(store: Store, seeds: int = 2) -> None:
        store_runs(store, seeds)
        store.checkpoints.folder = tmp_path / "checkpoints"
        for run in store.runs():
            store.checkpoints.write(run.id, b"")

    return with_weights


def teacher_field(app: ScriptedApp) -> Field:
    return app.lab.configure.field("teacher")


def picker(app: ScriptedApp, name: str) -> Picker:
    control = app.lab.configure.field(name).control
    assert isinstance(control, Picker)
    return control


def digests(app: ScriptedApp, *run_ids: str) -> str:
    records = [app.library.store().get(one) for one in run_ids]
    return "+".join(sorted((record.weights_sha256 or "")[:12] for record in records))


async def unfold(app: ScriptedApp, pilot: Pilot[Any], group: str) -> None:
    app.lab.query_one(group, Collapsible).collapsed = False
    await settle(pilot)


def test_capital_t_teaches_what_the_row_under_the_cursor_answers_and_again_the_labels(
    stored: Any,
) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "down", "T")
        row = app.lab.board.current
        assert row is not None
        assert teacher_field(app).value == digests(app, row.id)
        assert picker(app, "teacher")._label == f"{row.title}, {row.val_accuracy:.1f}%"
        assert row.title in [*app._notifications][-1].message
        await press(pilot, "t")
        assert app.queue.waiting[0].spec.settings.teacher == digests(app, row.id)
        await press(pilot, "T", "t")
        assert app.queue.waiting[1].spec.settings.teacher == NO_TEACHER

    drive(scenario, stored=stored)


def test_a_row_of_seeds_is_as_many_teachers_of_every_model_and_seed(stored: Any) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.configure.field("seeds").value = "2"
        await press(pilot, "4", "h", "T", "a")
        row = app.lab.board.row_here
        assert row is not None and len(row.runs) == 2
        assert picker(app, "teacher")._label == f"{row.title} ×2, {row.val_accuracy:.1f}%"
        assert len(app.queue.waiting) == 2 * len(REPORT_MODELS)
        wanted = digests(app, *(run.id for run in row.runs))
        assert {job.spec.settings.teacher for job in app.queue.waiting} == {wanted}

    drive(scenario, stored=stored)


def test_marked_runs_teach_together(stored: Any) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "space", "space", "T")
        assert teacher_field(app).value == digests(app, *app.lab.board.marks)
        assert len(app.lab.board.marks) == 2

    drive(scenario, stored=stored)


def test_the_field_lists_the_best_rows_and_none_is_the_second_choice(stored: Any) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await unfold(app, pilot, "#settings")
        teachers = picker(app, "teacher")
        assert teachers.prompt == "none"
        assert [title for title, _ in teachers.options[:2]] == ["recipe", "none"]
        assert teachers.options[2][0].startswith("fcn-100k ×2, ")
        teachers.focus()
        await press(pilot, "enter", "f", "enter")
        assert teachers.value == teachers.options[2][1]
        await press(pilot, "enter", "n", "enter", "t")
        assert app.queue.waiting[0].spec.settings.teacher == NO_TEACHER

    drive(scenario, stored=stored)


def test_a_run_that_is_not_finished_is_refused_as_teacher(stored: Any) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", *["down"] * 2, "T")
        assert "only finished runs can teach" in [*app._notifications][-1].message
        assert app.lab.configure.teacher == ""
        assert app.is_running

    drive(scenario, stored=stored)


def test_weights_that_are_elsewhere_are_refused_with_the_remedy() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "T")
        assert "Train it again to have them." in [*app._notifications][-1].message
        assert app.lab.configure.teacher == ""

    drive(scenario, stored=store_runs)  # a store in memory keeps no weights


def test_more_teachers_than_a_run_has_are_refused(stored: Any) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "T")
        assert "10 teachers at most, not 11; choose fewer" in [*app._notifications][-1].message

    drive(scenario, stored=lambda store: stored(store, 11))


def test_a_teacher_that_is_deleted_is_complained_of_under_the_field_and_not_trained_with(
    stored: Any,
) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "T", "x")
        field = teacher_field(app)
        assert "train their run again, or choose another teacher" in field.error
        await press(pilot, "t")
        assert app.queue.waiting == ()
        assert "choose another teacher" in [*app._notifications][-1].message
        await press(pilot, "u")
        assert field.error == ""
        await press(pilot, "t")
        assert len(app.queue.waiting) == 1

    drive(scenario, stored=stored)


def test_none_takes_the_complaint_away(stored: Any) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        field = teacher_field(app)
        assert "No run in" in field.error
        field.value = NO_TEACHER
        await press(pilot, "t")
        assert (field.error, len(app.queue.waiting)) == ("", 1)

    choice = Choice(overrides={"teacher": "0123456789ab"})
    drive(scenario, stored=stored, choice=choice)


def test_a_teacher_of_other_images_is_complained_of_when_the_data_change(stored: Any) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "4", "h", "T")
        app.lab.post_message(DataFound("sample", None))
        await settle(pilot)
        assert "choose a teacher on sample" in teacher_field(app).error
        app.lab.post_message(DataFound("fashion-mnist", Path("data")))
        await settle(pilot)
        assert teacher_field(app).error == ""

    drive(scenario, stored=stored)


def test_teachers_and_kernels_come_back_at_the_next_start_by_title(stored: Any) -> None:
    async def choose(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "f6", "4", "h", "T")
        await unfold(app, pilot, "#finer")
        app.lab.post_message(TorchLoaded(CPU))
        await settle(pilot)
        picker(app, "kernels").value = "rows"
        await settle(pilot)
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)

    drive(choose, stored=stored)
    choice, _ = load_choice(paths.last_choice_file())

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        assert picker(app, "teacher")._label.startswith("fcn-100k ×2, ")
        assert picker(app, "kernels").value == "rows"

    drive(scenario, stored=stored, choice=choice)


def test_kernels_say_where_there_is_no_choice_and_why() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await unfold(app, pilot, "#finer")
        picker(app, "kernels").value = "rows"
        gpu = (Device("cuda:0", "NVIDIA H200", 139.8), *CPU)
        for key, precision, devices, said in (
            ("f2", "auto", CPU, "torch (not for FCN)"),
            ("f6", "bf16", CPU, "torch (not in bf16)"),
            ("f6", "auto", gpu, "torch (not on cuda)"),
            ("f6", "auto", CPU, ""),
            ("f6", "fp32", CPU, ""),
        ):
            app.lab.post_message(TorchLoaded(devices))
            app.lab.configure.field("precision").value = precision
            await press(pilot, key, "t")
            kernels = picker(app, "kernels")
            assert (kernels.instead, kernels.disabled) == (said, bool(said))
            assert app.queue.waiting[-1].spec.kernels == ("auto" if said else "rows")

    drive(scenario, stored=lambda store: None)


def test_of_all_seven_the_cnns_are_computed_by_the_kernels_that_are_picked() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.post_message(TorchLoaded(CPU))
        await press(pilot, "a")
        kernels = {(job.spec.arch, job.spec.kernels) for job in app.queue.waiting}
        assert kernels == {("fcn", "auto"), ("cnn", "rows")}

    drive(scenario, choice=Choice(kernels="rows"), stored=lambda store: None)


def test_a_list_that_is_open_picks_what_it_shows_even_if_others_are_offered_meanwhile(
    stored: Any,
) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await unfold(app, pilot, "#settings")
        teachers = picker(app, "teacher")
        shown = [value for _, value in teachers.options]
        teachers.focus()
        await press(pilot, "enter", "down", "down")
        teachers.set_options([*teachers.options[:2], *reversed(teachers.options[2:])], "")
        await press(pilot, "enter")
        assert teachers.value == shown[2]

    drive(scenario, stored=stored)


def test_a_teacher_of_the_recipes_is_checked_and_forgotten_with_the_recipe(
    stored: Any,
) -> None:
    folder = paths.recipe_folder()
    folder.mkdir(parents=True)
    (folder / "taught.toml").write_text('[settings]\nteacher = "0123456789ab"\n')

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await unfold(app, pilot, "#settings")
        app.lab.configure.field("recipe").value = "taught"
        await settle(pilot)
        assert picker(app, "teacher").prompt == "0123456789ab"
        assert "No run in" in teacher_field(app).error
        await press(pilot, "t")
        assert app.queue.waiting == ()
        app.lab.configure.field("recipe").value = "fast"
        await settle(pilot)
        assert teacher_field(app).error == ""
        await press(pilot, "t")
        assert len(app.queue.waiting) == 1

    drive(scenario, stored=stored)
