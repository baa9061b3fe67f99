"""What a partial update draws is what a full one would."""

from random import Random
from typing import Any

import pytest
from driving import drive, press, settle
from scripted import ScriptedApp, named_network, spec_of
from textual.geometry import Region
from textual.pilot import Pilot

from fashiontui.tui.patches import PatchCompositor


@pytest.mark.parametrize("keys", [(), ("6",), ("ctrl+p",), ("q",)], ids=str)
def test_a_patch_shows_what_the_whole_screen_shows_there(keys: tuple[str, ...]) -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        app.play(spec_of(named_network("cnn-50k"), "best", epochs=12), 8)
        await settle(pilot)
        app.notify("Something lies over the panels.")
        await press(pilot, *keys)
        compositor = app.lab._compositor
        assert isinstance(compositor, PatchCompositor)
        whole = compositor.render_strips()
        width, height = compositor.size
        draw = Random(0)
        for _ in range(40):
            patches = {
                Region(draw.randrange(width), draw.randrange(height), 1, 1).expand(
                    (draw.randrange(30), draw.randrange(4))
                )
                for _ in range(draw.randrange(1, 5))
            }
            compositor._dirty_regions = {
                patch.intersection(Region(0, 0, width, height)) for patch in patches
            }
            update = compositor.render_partial_update()
            assert update is not None
            for y, x1, x2 in update.spans:
                chops = zip(update.chop_ends[y], update.chops[y].items(), strict=True)
                for end, (x, strip) in chops:
                    if x < x2 and end > x1:
                        assert strip is not None, "a hole in the screen"
                        left, right = max(x, x1), min(end, x2)
                        there = strip.crop(left - x, right - x)
                        assert [*there.simplify()] == [*whole[y].crop(left, right).simplify()]

    drive(scenario)
