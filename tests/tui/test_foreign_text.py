"""Escape codes and markup in what is stored, typed or told are shown, not obeyed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any

from msgspec import structs, to_builtins
from scripted import ScriptedApp, fill, named_network, spec_of
from sqlalchemy import text
from test_keys import press, settle
from textual.pilot import Pilot
from textual.widgets import RichLog

from fashiontui import paths
from fashiontui.domain.events import RunFinished, Status
from fashiontui.tui.messages import RunEvent

HOSTILE = "[red]x[/]\x1b[5m\x9b2J\u202ey\n[@click=app.quit]z"
SHOWN = r"[red]x[/]\x1b[5m\x9b2J\u202ey\n[@click=app.quit]z"
BEGINNING = SHOWN[:16]
"""As much of it as fits into a narrow column."""


def seen(app: ScriptedApp) -> str:
    """What is on the screen."""
    drawn = unescape(app.export_screenshot()).replace("\xa0", " ")
    assert not any(sign in drawn for sign in ("\x1b", "\x9b", "\u202e"))
    return drawn


def drive(scenario: Callable[[ScriptedApp, Pilot[Any]], Awaitable[None]]) -> None:
    """Run a scenario in an app with one stored run that another program wrote."""
    app = ScriptedApp()
    store = app.library.store()
    fill(store, runs=1)
    spec = store.runs()[0].spec
    hostile = json.dumps({**to_builtins(spec), "recipe": HOSTILE})
    with store._engine.begin() as connection:
        connection.execute(text("DELETE FROM epochs"))  # they mention the run's id
        connection.execute(text("DELETE FROM predictions"))
        connection.execute(text("DELETE FROM inside"))
        connection.execute(
            text(
                "UPDATE runs SET id = '[b]' || :text, device = :text, device_name = :text, "
                "cause = :text, spec = :spec"
            ),
            {"text": HOSTILE, "spec": hostile},
        )

    async def run() -> None:
        async with app.run_test(size=(250, 80)) as pilot:
            await settle(pilot)
            await scenario(app, pilot)

    asyncio.run(run())


def test_on_the_board() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        assert BEGINNING in seen(app)

    drive(scenario)


def test_in_the_log_and_in_the_notice_of_a_failed_run() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        spec = structs.replace(spec_of(named_network("fcn-50k")), recipe=HOSTILE)
        app.play(spec, 1)
        job = app.queue.current
        assert job is not None
        app.lab.post_message(RunEvent(job, RunFinished("5eed", Status.FAILED, HOSTILE)))
        await press(pilot, "7")
        logged = "".join(strip.text for strip in app.lab.query_one(RichLog).lines)
        assert f"recipe {BEGINNING}" in logged
        assert f"failed: {BEGINNING}" in logged
        seen(app)
        [notice] = app._notifications
        assert (notice.message, notice.markup) == (SHOWN, False)

    drive(scenario)


def test_in_the_details() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        from fashiontui.tui.screens.details import Details

        app.push_screen(Details(app.library.store().runs()[0]))
        await settle(pilot)
        drawn = seen(app)
        assert f"Run [b]{SHOWN}" in drawn
        assert drawn.count(BEGINNING) >= 4  # id, cause, recipe, device

    drive(scenario)


def test_in_the_name_and_the_description_of_a_recipe() -> None:
    folder = paths.recipe_folder()
    folder.mkdir(parents=True)
    (folder / "[red]mine.toml").write_text('description = "[b]bold \\u001b[5m"\n')

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.configure.field("recipe").control.value = "[red]mine"  # type: ignore[union-attr]
        await settle(pilot)
        drawn = seen(app)
        assert "[red]mine" in drawn
        assert r"[b]bold \x1b[5m" in drawn

    drive(scenario)
