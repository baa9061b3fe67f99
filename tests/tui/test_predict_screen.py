"""The screen that asks a network about a picture: what is typed, what is answered, what is not."""

import asyncio
from contextlib import closing

import pytest
from driving import drive, press, settle, until
from making import made_record, made_spec
from PIL import Image
from scripted import ScriptedApp

from fashiontui.data.sample import sample_set
from fashiontui.domain.classes import CLASS_NAMES
from fashiontui.domain.events import Status
from fashiontui.engine import Placement
from fashiontui.store import Store
from fashiontui.tui.library import Library
from fashiontui.tui.screens.predict import Predict, _path


def said(app):
    return " ".join(
        str(app.screen.query_one(f"#{name}").render()) for name in ("told", "classes", "verdict")
    )


def go_to(app, wanted):
    """Put the board's cursor on the first row that is wanted."""
    at = next(number for number, row in enumerate(app.lab.board._order) if wanted(row))
    app.lab.board.table.move_cursor(row=at)


def test_i_opens_it_for_the_run_under_the_cursor_and_says_what_is_missing(tmp_path):
    picture = tmp_path / "a picture.png"
    Image.new("RGB", (40, 40), "teal").save(picture)

    async def scenario(app, pilot):
        go_to(app, lambda row: row.status is Status.FINISHED)
        await press(pilot, "4", "i")
        await until(pilot, lambda: isinstance(app.screen, Predict))
        path = app.screen.query_one("#path")
        for text, answer in (
            (str(tmp_path / "nothing.png"), "✗ Cannot read the picture"),
            (f"'{picture}'", "are not on this machine"),  # a store in memory keeps no weights
        ):
            path.value = text
            await press(pilot, "enter")
            await until(pilot, lambda wanted=answer: wanted in said(app))
            assert app.focused is path
        await press(pilot, "escape")
        assert app.screen is app.lab

    drive(scenario)


def test_a_picture_is_answered_by_a_stored_network(tmp_path):
    import torch

    from fashiontui.runner import run

    where = str(tmp_path / "runs.db")
    spec = made_spec("fcn", (16,), dataset="sample", epochs=20, lr=0.01)
    with closing(Store(where)) as store:
        list(run(spec, sample_set(), Placement(torch.device("cpu"), "fp32", 1), store))
        [record] = store.get_all([row.id for row in store.board()])
    Image.fromarray(sample_set().test_images[1, 0].numpy()).save(tmp_path / "trouser.png")
    library = Library(where)

    async def scenario():
        app = ScriptedApp()
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(pilot)
            await app.push_screen(Predict(record, library, [], shaded=False))
            app.screen.query_one("#path").value = str(tmp_path / "trouser.png")
            await press(pilot, "enter")
            await until(pilot, lambda: "━" in said(app))
            found = CLASS_NAMES[record.test.predicted[1]]
            assert str(app.screen.query_one("#verdict").render()) == found

    asyncio.run(scenario())
    library.close()


def test_an_unfinished_run_is_not_asked():
    record = made_record(status=Status.STOPPED)

    async def scenario(app, pilot):
        await app.push_screen(Predict(record, app.library, [], shaded=False))
        await settle(pilot)
        assert "This run is stopped" in said(app)
        assert app.screen.query_one("#path").disabled

    drive(scenario)


def test_a_report_row_has_no_network_to_ask():
    async def scenario(app, pilot):
        go_to(app, lambda row: row.is_report)
        await press(pilot, "4", "i")
        assert app.screen is app.lab

    drive(scenario)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/a/b.png", "/a/b.png"),
        ("  /a/b.png ", "/a/b.png"),
        ("'/a/my photo.png'", "/a/my photo.png"),
        (r"/a/my\ photo.png", "/a/my photo.png"),
        ("/a/my photo.png", "/a/my photo.png"),
        ("it's.png", "it's.png"),
    ],
)
def test_a_path_may_be_typed_or_dropped(typed, meant):
    assert str(_path(typed)) == meant
