"""Draws the README's pictures of the app into assets/, from scripted runs: ``make screenshots``."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "assets"
sys.path.insert(0, str(ROOT / "tests" / "tui"))
# The pictures show a terminal that can do everything, whatever this one is.
os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", TZ="UTC")

from scripted import ScriptedApp, fill, named_network, spec_of  # noqa: E402

from fashiontui.domain.events import Status  # noqa: E402

Drive = Callable[[ScriptedApp, Pilot[Any]], Awaitable[None]]
SHOWN_SECONDS = 0.4
"""Longer than the screen waits before it draws news."""


async def midway(app: ScriptedApp, pilot: Pilot[Any]) -> None:
    """A CNN learns, beside two stored runs."""
    app.play(spec_of(named_network("cnn-50k"), "best", epochs=12), 7)
    await pilot.press("f7", "4", *["down"] * 6, "space", "space")


async def finished(app: ScriptedApp, pilot: Pilot[Any]) -> None:
    """An FCN is done and has its place on the board."""
    app.play(spec_of(named_network("fcn-100k")), 6, Status.FINISHED)
    await pilot.press("f3", "4")


async def wide(app: ScriptedApp, pilot: Pilot[Any]) -> None:
    """The board beside the charts, and the kernels of the first layer."""
    app.play(spec_of(named_network("cnn-100k"), "best", epochs=25), 14)
    await pilot.press("f8", "6")


async def pareto(app: ScriptedApp, pilot: Pilot[Any]) -> None:
    """Accuracy against weights, with a run under way and what to train next."""
    app.play(spec_of(named_network("cnn-100k"), "best", epochs=12), 7)
    await pilot.press("v")


async def draw(name: str, size: tuple[int, int], drive: Drive) -> None:
    """Drive a fresh app and save what it shows."""
    app = ScriptedApp()
    fill(app.library.store())
    async with app.run_test(size=size) as pilot:
        await pilot.pause(SHOWN_SECONDS)
        await drive(app, pilot)
        await pilot.pause(SHOWN_SECONDS)
        ASSETS.mkdir(exist_ok=True)
        (ASSETS / f"{name}.svg").write_text(app.export_screenshot(title="fashiontui"))


def main() -> None:
    """Draw all of them."""
    for name, size, drive in (
        ("training", (150, 45), midway),
        ("leaderboard", (120, 40), finished),
        ("wide", (200, 60), wide),
        ("pareto", (120, 36), pareto),
    ):
        asyncio.run(draw(name, size, drive))
        print(f"assets/{name}.svg", file=sys.stderr)


if __name__ == "__main__":
    main()
