"""Driving a scripted app by keys and mouse."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

from scripted import ScriptedApp, fill
from textual.pilot import Pilot
from textual.screen import Screen

from fashiontui.store.store import Store

SIZE = (150, 45)
PATIENCE = 30.0
"""Longest wait for anything, in seconds; far more than it takes on a busy machine."""
S = TypeVar("S", bound=Screen[Any])
Scenario = Callable[[ScriptedApp, Pilot[Any]], Awaitable[None]]


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until threads have answered, and nothing that they said is still to be taken in."""
    app, quiet = pilot.app, 0
    while quiet < 2:  # a message taken in may have caused another, or a thread
        await app.workers.wait_for_complete()
        await pilot.pause()
        nodes = [node for screen in app.screen_stack for node in screen.walk_children()]
        waiting = any(node.message_queue_size for node in [app, *app.screen_stack, *nodes])
        quiet = 0 if waiting or len(app.workers) else quiet + 1


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    """Wait until something holds, which a timer or a thread brings about."""
    limit = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < limit, f"Waited {PATIENCE} s in vain"
        await pilot.pause(0.02)
    await pilot.pause()


async def opened(pilot: Pilot[Any], kind: type[S], *keys: str) -> S:
    """Press keys, of which the last opens a screen, and wait until it shows what it has."""
    await press(pilot, *keys)
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)
    await settle(pilot)
    assert isinstance(pilot.app.screen, kind)
    return pilot.app.screen


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, each when what the one before it caused has happened."""
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
