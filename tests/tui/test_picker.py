"""A control that picks one of a few values."""

from typing import Any

from driving import drive, press, settle
from scripted import ScriptedApp
from textual.pilot import Pilot

from fashiontui.tui.widgets.picker import Choices, Picker


def recipe_of(app: ScriptedApp) -> Picker:
    """The picker of the recipe: best, fast and report, fast at first."""
    return app.lab.configure.query_one("#field-recipe Picker", Picker)


def test_keys_open_the_list_and_pick_from_it() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        picker = recipe_of(app)
        picker.focus()
        await press(pilot, "enter", "down", "enter")
        assert picker.value == "report"
        assert picker.has_focus
        assert not picker.query(Choices)

    drive(scenario)


def test_a_letter_goes_to_the_next_choice_that_begins_with_it() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        picker = recipe_of(app)
        picker.focus()
        await press(pilot, "space", "b", "enter")
        assert picker.value == "best"
        assert app.queue.current is None
        assert not app.queue.waiting

    drive(scenario)


def test_escape_and_going_elsewhere_close_the_list_and_pick_nothing() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        picker = recipe_of(app)
        picker.focus()
        await press(pilot, "enter", "down", "escape")
        assert (picker.value, picker.has_focus) == ("fast", True)
        await press(pilot, "enter", "down", "tab")
        assert not picker.query(Choices)
        assert (picker.value, picker.has_focus) == ("fast", False)

    drive(scenario)


def test_the_mouse_opens_picks_and_closes() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        picker = recipe_of(app)
        await pilot.click(picker)
        await settle(pilot)
        await pilot.click(Choices, offset=(3, 0))
        await settle(pilot)
        assert picker.value == "best"
        await pilot.click(picker)
        await settle(pilot)
        assert picker.query(Choices)
        await pilot.click(picker)
        await settle(pilot)
        assert not picker.query(Choices)

    drive(scenario)


def test_what_is_not_offered_is_not_picked() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        picker = recipe_of(app)
        picker.value = "no such recipe"
        assert picker.value == "fast"
        picker.set_options([("one", "1"), ("two", "2")], "3")
        await settle(pilot)
        assert picker.value == "1"

    drive(scenario)
