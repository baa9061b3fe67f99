"""Driving a scripted app by keys and mouse."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

from scripted import ScriptedApp, fill
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.worker import Worker

from fashiontui.store.store import Store

SIZE = (150, 45)
PATIENCE = 60.0
"""Longest wait for anything, in seconds; far more than it takes on a busy machine."""
LOOK = 0.005
"""How often it is looked, in seconds."""
S = TypeVar("S", bound=Screen[Any])
Scenario = Callable[[ScriptedApp, Pilot[Any]], Awaitable[None]]


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until threads have answered, and the screen shows it."""
    limit = monotonic() + PATIENCE
    calm = 0
    while calm < 2:  # what the last message of all began is seen by looking once more
        assert monotonic() < limit, f"The app was busy for {PATIENCE} s"
        await pilot.pause(LOOK)  # every widget has handled what it was sent before
        calm = calm + 1 if is_calm(pilot.app) else 0


def is_calm(app: App[Any]) -> bool:
    """Whether no answer of a thread, no message, no drawing and no movement is waited for."""
    screen, lab = app.screen, app.screen_stack[0]
    widgets = [app, *(w for s in app.screen_stack for w in s.walk_children(with_self=True))]
    return not (
        any(worker.is_running for worker in app.workers if answers_soon(worker))
        or any(widget.message_queue_size or widget._next_callbacks for widget in widgets)
        or screen._callbacks
        or screen._dirty_widgets
        or screen._layout_required
        or getattr(lab, "_stale", False)
        or not app.animator._complete_event.is_set()
    )


def answers_soon(worker: Worker[Any]) -> bool:
    """Whether a worker neither waits for the user nor trains for as long as the app lives."""
    return worker._thread_worker and worker.group != "training"


async def until(pilot: Pilot[Any], holds: Callable[[], object]) -> None:
    """Wait until something holds, which a timer or a thread brings about."""
    limit = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < limit, f"Waited {PATIENCE} s in vain"
        await pilot.pause(LOOK)
    await pilot.pause()


async def opened(pilot: Pilot[Any], kind: type[S], *keys: str) -> S:
    """Press keys, of which the last opens a screen, and wait until it shows what it has."""
    await press(pilot, *keys)
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)
    await settle(pilot)
    assert isinstance(pilot.app.screen, kind)
    return pilot.app.screen


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one after another, each once what was caused before is there."""
    await settle(pilot)
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def drive(
    scenario: Scenario,
    size: tuple[int, int] = SIZE,
    stored: Callable[[Store], None] = fill,
    **kwargs: Any,
) -> ScriptedApp:
    """Run a scenario in an app with stored runs, six unless said otherwise, and return the app."""
    app = ScriptedApp(**kwargs)
    stored(app.library.store())

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            await scenario(app, pilot)

    asyncio.run(run())
    return app
