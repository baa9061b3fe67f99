"""What strangers wrote is shown in the app as it is: no markup, no escape code is obeyed."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driving import press, settle, until
from scripted import ScriptedApp
from textual.pilot import Pilot
from textual.widgets import Static

from fashiontui import paths
from fashiontui.config import Config
from fashiontui.domain.errors import ExitCode
from fashiontui.tui.choice import Choice
from fashiontui.tui.messages import DataMissing, Failed, Noted
from fashiontui.tui.screens.confirm import Confirm
from fashiontui.tui.widgets.picker import Picker

HOSTILE = "[/][red]x\x1b[2J\u202e"
SHOWN = "[/][red]x\\x1b[2J\\u202e"


def drive(scenario: Callable[[ScriptedApp, Pilot[Any]], Any], **kwargs: Any) -> None:
    app = ScriptedApp(**kwargs)

    async def run() -> None:
        async with app.run_test(size=(150, 45), notifications=True) as pilot:
            await settle(pilot)
            await scenario(app, pilot)

    asyncio.run(run())


def written(app: ScriptedApp) -> str:
    """Everything on the screen, as text."""
    return "\n".join(
        "".join(segment.text for segment in line) for line in app.screen._compositor.render_strips()
    )


@pytest.mark.parametrize(
    "message",
    [Failed(HOSTILE, ExitCode.NO_STORE), Failed(HOSTILE, ExitCode.RUN_FAILED), Noted(HOSTILE)],
    ids=lambda message: type(message).__name__,
)
def test_a_sentence_of_a_thread_is_shown(message: Any) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.post_message(message)
        await press(pilot, "7")
        assert SHOWN in written(app)

    drive(scenario)


def test_a_reason_why_data_are_missing_is_shown() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.lab.post_message(DataMissing(HOSTILE))
        await settle(pilot)
        assert SHOWN in written(app)

    drive(scenario)


def test_a_notice_is_shown() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.notify(HOSTILE)
        app.lab.board.notify(HOSTILE)
        await settle(pilot)
        assert written(app).count(SHOWN) == 2

    drive(scenario)


def test_recipes_of_any_name_and_description_are_shown() -> None:
    folder = paths.recipe_folder()
    folder.mkdir(parents=True)
    (folder / "[red]x.toml").write_text('description = "[/] \\u001b[2J"', encoding="utf-8")
    (folder / "broken.toml").write_text("'[/]' = 1", encoding="utf-8")

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        picker = app.lab.configure.query_one("#field-recipe Picker", Picker)
        picker.value = "[red]x"
        await settle(pilot)
        assert "[/] \\x1b[2J" in str(app.lab.query_one("#recipe-says", Static).content)
        assert "[red]x" in written(app)
        picker.value = "broken"
        await settle(pilot)
        assert "unknown key '[/]'" in app.lab.configure.field("recipe").error

    drive(scenario)


@pytest.mark.parametrize(
    "choice",
    [
        Choice(budget="9" * 5000, seeds="9" * 5000, shape=(-1, 10**30), data_folder="x" * 5000),
        Choice(seeds="²", overrides={"no such": "setting", "epochs": "9" * 5000, "init": "[/]"}),
        Choice(recipe="../[/]", device="cuda:-1[/]", pinned="[/]", theme="[/]"),
    ],
    ids=["numbers", "settings", "names"],
)
def test_the_app_starts_and_answers_with_any_last_choice(choice: Choice) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "t")
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Confirm) or not app.is_running)

    drive(scenario, choice=choice)


def test_the_app_starts_and_answers_with_any_keys() -> None:
    keys = ["", ",", " ", "ctrl+", "[/]", "x" * 500, "no such key,t"]
    actions = ["train", "all_seven", "stop", "skip", "resume", "filter", "log_axis"]
    keymap = {f"lab.{action}": key for action, key in zip(actions, keys, strict=True)}

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await press(pilot, "question_mark", "escape", "t")

    drive(scenario, config=Config(keymap=keymap))


def test_a_key_for_nothing_is_said_as_it_is_written() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        assert "unknown id '[/]'" in written(app)

    drive(scenario, config=Config(theme="[/]", keymap={"[/]": "t"}))


def test_a_folder_beyond_what_a_file_system_takes_is_missing_data(tmp_path: Path) -> None:
    from fashiontui.tui.worker import look_for_data

    told: list[Any] = []
    look_for_data("auto", [tmp_path / ("x" * 5000)], lambda message: bool(told.append(message)))
    assert isinstance(told[0], DataMissing)
