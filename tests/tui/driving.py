"""Driving a scripted app by keys and mouse."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from scripted import ScriptedApp, fill
from textual.pilot import Pilot

from fashiontui.store.store import Store

SIZE = (150, 45)
PATIENCE = 30.0
"""Longest wait for anything, in seconds; far more than it takes on a busy machine."""
Scenario = Callable[[ScriptedApp, Pilot[Any]], Awaitable[None]]


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until threads have answered."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    """Wait until something holds, which a timer or a thread brings about."""
    limit = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < limit, f"Waited {PATIENCE} s in vain"
        await pilot.pause(0.02)
    await pilot.pause()


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one after another and wait for what they cause."""
    await pilot.press(*keys)
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
