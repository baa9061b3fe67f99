"""Quitting never hangs: not on a run, not on a locked store, not on a second q."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from driving import drive, until
from scripted import ScriptedApp, named_network, spec_of
from textual.pilot import Pilot

from fashiontui.tui import app as app_module
from fashiontui.tui.screens.confirm import Confirm


@pytest.fixture
def busy() -> Iterator[Event]:
    """What a training thread waits for that cannot end, as one that waits for a locked store."""
    event = Event()
    yield event
    event.set()


async def quit_while_busy(app: ScriptedApp, pilot: Pilot[Any], busy: Event) -> None:
    """A run is under way on a thread that does not end, and the user quits all the same."""
    app.play(spec_of(named_network("cnn-50k")), 1)
    app.run_worker(busy.wait, thread=True, group="training")
    await pilot.press("q")
    await until(pilot, lambda: isinstance(app.screen, Confirm))
    await pilot.press("y")


def test_quitting_says_what_it_waits_for_and_leaves_after_a_while(
    busy: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "SOON_SECONDS", 0.1)
    monkeypatch.setattr(app_module, "LATEST_SECONDS", 1.0)

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await quit_while_busy(app, pilot, busy)
        await until(pilot, lambda: bool(app._notifications))
        assert "cnn-50k to stop" in next(iter(app._notifications)).message
        await until(pilot, lambda: not app.is_running)
        busy.set()

    app = drive(scenario)
    assert app.left_behind
    assert "cnn-50k could not be stored to its end" in app.last_words
    assert app.return_code == 0


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_asked_again_while_it_waits_it_leaves_at_once(
    key: str, busy: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "SOON_SECONDS", 0.1)
    monkeypatch.setattr(app_module, "LATEST_SECONDS", 1000.0)

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await quit_while_busy(app, pilot, busy)
        await until(pilot, lambda: bool(app._notifications))
        await pilot.press(key)
        await until(pilot, lambda: not app.is_running)
        busy.set()

    assert drive(scenario).left_behind


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_the_question_is_asked_once_however_often_one_presses(key: str) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("cnn-50k")), 1)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press(key, key)
        await pilot.pause()
        await pilot.press("n")
        await until(pilot, lambda: app.screen is app.lab)
        assert app.is_running

    drive(scenario)


def test_with_nothing_running_nothing_is_left_behind() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)

    app = drive(scenario)
    assert (app.left_behind, app.last_words, app.return_code) == (False, "", 0)


@pytest.mark.parametrize("key", ["i", "o", "v", "question_mark"])
def test_a_key_after_q_opens_nothing_that_would_be_closed_half_made(key: str, busy: Event) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        await quit_while_busy(app, pilot, busy)
        await until(pilot, lambda: app._leaving and app.screen is app.lab)
        await pilot.press(key)
        assert app.screen is app.lab
        busy.set()
        await until(pilot, lambda: not app.is_running)

    assert drive(scenario).return_code == 0
