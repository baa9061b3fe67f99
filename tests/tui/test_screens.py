"""Pictures of every screen in its telling states, from scripted events: the same bytes each time.

After a wanted change: ``pytest tests/tui/test_screens.py --snapshot-update``, then look at each.
"""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from driving import press as keys_pressed
from driving import settle, until
from making import made_record, right_on
from msgspec import structs
from scripted import ScriptedApp, fill, fill_seeds, named_network, spec_of
from scripted_study import fill_study
from textual.pilot import Pilot

from fashiontui.data.photo import Seen
from fashiontui.data.sample import sample_set
from fashiontui.domain.events import Status
from fashiontui.predict import Answer
from fashiontui.tui.choice import Choice
from fashiontui.tui.messages import DataFound, DataMissing
from fashiontui.tui.screens.confirm import Confirm
from fashiontui.tui.screens.predict import Predict
from fashiontui.tui.terminal import Glyphs

Snap = Callable[..., bool]
Drive = Callable[[Pilot[Any]], Awaitable[None]]


def shown(
    snap_compare: Snap,
    app: ScriptedApp,
    size: tuple[int, int],
    drive: Drive | None = None,
    press: Iterable[str] = (),
) -> bool:
    """Whether the app looks as before, once it has been driven and the keys are pressed."""

    async def run_before(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        if drive is not None:
            await drive(pilot)
        await settle(pilot)
        await keys_pressed(pilot, *press)

    return snap_compare(app, terminal_size=size, run_before=run_before)


async def midway(pilot: Pilot[Any]) -> None:
    """A CNN in its eighth epoch of twelve."""
    pilot.app.play(spec_of(named_network("cnn-50k"), "best", epochs=12), 7)


async def finished(pilot: Pilot[Any]) -> None:
    """An FCN at its end."""
    pilot.app.play(spec_of(named_network("fcn-100k")), 6, Status.FINISHED)


async def failed(pilot: Pilot[Any]) -> None:
    """An FCN whose loss exploded in its third epoch."""
    pilot.app.play(spec_of(named_network("fcn-100k"), lr=50.0), 2, Status.FAILED)


def filled(**kwargs: Any) -> ScriptedApp:
    """An app with six stored runs."""
    app = ScriptedApp(**kwargs)
    fill(app.library.store())
    return app


def seeded(**kwargs: Any) -> ScriptedApp:
    """An app with five seeds each of three networks, and one run of a fourth."""
    app = ScriptedApp(**kwargs)
    fill_seeds(app.library.store())
    return app


def test_an_empty_lab_says_what_to_press(snap_compare: Snap) -> None:
    assert shown(snap_compare, ScriptedApp(), (120, 40))


def test_configuring_shows_what_a_budget_buys_and_what_is_wrong(snap_compare: Snap) -> None:
    choice = Choice(
        arch="cnn", budget="37k", recipe="report", overrides={"lr": "1000", "epochs": "5"}
    )
    assert shown(snap_compare, filled(choice=choice), (120, 50))


@pytest.mark.parametrize("size", [(100, 50), (60, 20)], ids=["beside charts", "narrow"])
def test_a_compact_family_is_picked_beside_the_reports(
    snap_compare: Snap, size: tuple[int, int]
) -> None:
    assert shown(snap_compare, filled(choice=Choice(arch="dsconv", budget="20k")), size)


def test_a_budget_too_small_says_so_under_the_field(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(choice=Choice(budget="12")), (120, 40))


def test_training_midway(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (150, 45), midway)


def test_a_finished_run_has_its_place_on_the_board(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (150, 45), finished, ["4"])


def test_a_failed_run(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (120, 40), failed, ["7"])


def test_marked_and_pinned_runs_are_drawn_beside_the_running_one(snap_compare: Snap) -> None:
    keys = ["4", *["down"] * 3, "p", *["down"] * 2, "space", "space", "2", "left", "y"]
    assert shown(snap_compare, filled(), (150, 45), midway, keys)


def test_two_runs_are_drawn_with_their_training_losses(snap_compare: Snap) -> None:
    keys = ["4", "h", *["down"] * 5, "p", "up", "space", "3", "y", *["left"] * 5]
    assert shown(snap_compare, filled(), (150, 45), midway, keys)


def test_more_runs_than_the_legend_can_name(snap_compare: Snap) -> None:
    keys = ["4", "h", "down", "p", *["space"] * 6, "2", "left"]
    assert shown(snap_compare, filled(), (120, 40), midway, keys)


def test_a_pinned_run_is_there_with_nothing_running(snap_compare: Snap) -> None:
    app = filled(choice=Choice(pinned=f"{2:012x}"))
    assert shown(snap_compare, app, (120, 40))


def test_seeds_that_cannot_be_read_and_settings_unfolded(snap_compare: Snap) -> None:
    keys = ["tab"] * 4 + ["3", "minus"] + ["tab"] * 4 + ["enter", "tab", "tab", "enter", "down"]
    assert shown(snap_compare, filled(), (100, 50), None, [*keys, "enter"])


def test_teachers_that_are_gone_and_kernels_without_a_choice_say_so(snap_compare: Snap) -> None:
    gone = Choice(overrides={"teacher": "0123456789ab"}, kernels="rows")
    assert shown(snap_compare, filled(choice=gone), (100, 60))


def test_a_row_of_seeds_teaches_the_network_of_the_form(snap_compare: Snap, tmp_path: Path) -> None:
    app = seeded()
    store = app.library.store()
    store.checkpoints.folder = tmp_path
    for run in store.runs():
        store.checkpoints.write(run.id, b"")
    assert shown(snap_compare, app, (100, 50), None, ["4", "h", "T"])


def test_first_layer_of_a_cnn(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (120, 40), midway, ["6"])


@pytest.mark.parametrize("size", [(60, 20), (100, 40), (200, 60)])
def test_first_layer_of_an_fcn_fits(snap_compare: Snap, size: tuple[int, int]) -> None:
    async def train(pilot: Pilot[Any]) -> None:
        pilot.app.play(spec_of(named_network("fcn-100k")), 3)

    assert shown(snap_compare, filled(), size, train, ["6"])


def test_first_layer_with_nothing_trained_says_what_to_press(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (100, 30), None, ["6"])


def test_queue(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (120, 40), midway, ["a", "5", "down", "J"])


@pytest.mark.parametrize("size", [(60, 20), (120, 40), (200, 60)])
def test_seeds_of_one_network_are_one_row_and_may_share_a_rank(
    snap_compare: Snap, size: tuple[int, int]
) -> None:
    assert shown(snap_compare, seeded(), size, None, ["4", "h", "down"])


@pytest.mark.parametrize("size", [(60, 20), (150, 45)])
def test_a_row_of_seeds_unfolds(snap_compare: Snap, size: tuple[int, int]) -> None:
    keys = ["4", "h", "down", "e", "down", "space", "p"]
    assert shown(snap_compare, seeded(), size, None, keys)


def test_a_filtered_board(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (120, 40), None, ["slash", *"cnn fin"])


def test_details_of_a_run(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (120, 50), None, ["4", "down", "down", "enter"])


def test_help_on_the_board(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (120, 50), None, ["4", "question_mark"])


def test_quitting_while_a_run_trains_asks(snap_compare: Snap) -> None:
    async def run_before(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await midway(pilot)
        await settle(pilot)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await settle(pilot)

    assert snap_compare(filled(), terminal_size=(120, 40), run_before=run_before)


def test_missing_data_offers_three_ways_out(snap_compare: Snap) -> None:
    async def miss(pilot: Pilot[Any]) -> None:
        pilot.app.lab.post_message(DataMissing("Fashion-MNIST is not on this machine yet."))

    assert shown(snap_compare, ScriptedApp(), (120, 40), miss)


@pytest.mark.parametrize("panel", ["1", "2", "3", "4"])
def test_narrow_terminals_show_one_panel(snap_compare: Snap, panel: str) -> None:
    assert shown(snap_compare, filled(), (60, 20), midway, [panel])


def test_the_sample_set_is_named_where_there_is_little_room(snap_compare: Snap) -> None:
    async def train(pilot: Pilot[Any]) -> None:
        spec = structs.replace(spec_of(named_network("cnn-50k")), dataset="sample")
        pilot.app.lab.post_message(DataFound("sample", None))
        pilot.app.play(spec, 2)

    assert shown(snap_compare, filled(), (60, 20), train, ["3"])


def test_wide_terminals_put_the_board_beside_the_charts(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (200, 60), midway)


@pytest.mark.parametrize("glyphs", [Glyphs.ASCII, Glyphs.CONSOLE])
def test_terminals_that_lack_characters(snap_compare: Snap, glyphs: Glyphs) -> None:
    keys = ["4", "h", *["down"] * 5, "p", "up", "space", "6"]
    assert shown(snap_compare, filled(glyphs=glyphs), (120, 40), midway, keys)


def test_without_colours_states_differ_by_sign_and_word(
    snap_compare: Snap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    keys = ["4", "h", *["down"] * 5, "p", "up", "space"]
    assert shown(snap_compare, filled(), (120, 40), midway, keys)


@pytest.mark.parametrize("theme", ["atelier-light", "okabe-ito"])
def test_themes(snap_compare: Snap, theme: str) -> None:
    app = filled(choice=Choice(theme=theme))
    assert shown(snap_compare, app, (150, 45), midway, ["4", "down", "down", "down", "space"])


def test_a_picture_is_asked_about_and_its_answer_believed(snap_compare: Snap) -> None:
    assert shown(snap_compare, ScriptedApp(), (100, 30), asked(garment=True))


def test_a_picture_of_something_else_is_not_believed(snap_compare: Snap) -> None:
    assert shown(snap_compare, ScriptedApp(), (70, 36), asked(garment=False))


def asked(garment: bool) -> Drive:
    """The answer to a picture of the sample set, or to stripes."""

    async def drive(pilot: Pilot[Any]) -> None:
        pixels = sample_set().test_images[9, 0].numpy().tobytes()
        seen = Seen(pixels if garment else bytes(range(0, 252, 9)) * 28, False, True)
        probabilities = (0.01, 0.0, 0.0, 0.0, 0.0, 0.02, 0.0, 0.15, 0.01, 0.81)
        doubt = (
            "It is unlike the garments of the data set: what their patterns do not explain of it "
            "is 77 shades of grey, of 99 in 100 of them at most 46."
        )
        record = made_record("cnn-50k", right_on(0, 912))
        screen = Predict(record, pilot.app.library, [], shaded=False)
        await pilot.app.push_screen(screen)
        screen._show(Answer(seen, probabilities, None if garment else doubt))

    return drive


def tuned(**how: Any) -> ScriptedApp:
    """An app with a study of 14 trials."""
    app = filled()
    fill_study(app.library.studies(), **{"trials": 14, **how})
    return app


@pytest.mark.parametrize("size", [(100, 30), (150, 45)], ids=["100x30", "150x45"])
def test_a_study_with_its_trials_charts_and_importances(
    snap_compare: Snap, size: tuple[int, int]
) -> None:
    assert shown(snap_compare, tuned(), size, None, ["o", "down"])


def test_a_study_of_two_objectives_has_its_pareto_set(snap_compare: Snap) -> None:
    assert shown(snap_compare, tuned(against="weights"), (120, 40), None, ["o", "comma"])


def test_narrow_terminals_show_one_panel_of_a_study(snap_compare: Snap) -> None:
    assert shown(snap_compare, tuned(), (60, 20), None, ["o", "4"])


def test_without_a_study_the_form_says_how_to_begin_one(snap_compare: Snap) -> None:
    assert shown(snap_compare, filled(), (100, 30), None, ["o"])
