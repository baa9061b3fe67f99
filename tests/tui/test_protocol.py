"""Pictures by the terminal's image protocol: what it is asked, what is drawn by its answer."""

import os
import pty
import re
import subprocess
import sys
import termios
import time
from typing import Any

import numpy as np
import pytest
from driving import drive, opened, press
from scripted import ScriptedApp
from textual.pilot import Pilot

from fashiontui.images import test_images
from fashiontui.images.sample import drawn
from fashiontui.tui.protocol import picture_widget
from fashiontui.tui.screens import mistakes
from fashiontui.tui.screens.mistakes import Mistakes
from fashiontui.tui.widgets.sharp_pictures import SharpPictures

widget = pytest.importorskip("textual_image.widget", reason="textual-image is not installed")

PATIENCE = 120.0
ASKS = """
from textual.app import App
from fashiontui.tui.protocol import picture_widget

class Asks(App):
    def on_ready(self):
        first, again = (picture_widget(self, shaded=False) for _ in range(2))
        assert first is again
        self.exit(first.__module__ + "." + first.__name__ if first else "none")

print("FOUND", Asks().run(), "END")
"""


@pytest.mark.parametrize(
    ("attributes", "knows_kitty", "found"),
    [
        (b"62;4", False, b"textual_image.widget.sixel.Image"),
        (b"62", True, b"textual_image.widget.TGPImage"),
        (b"62", False, b"none"),
    ],
    ids=["sixel", "kitty", "neither"],
)
def test_the_running_app_asks_its_terminal_once_and_believes_the_answer(
    attributes: bytes, knows_kitty: bool, found: bytes
) -> None:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color",
        "COLORTERM": "truecolor", "COLUMNS": "80", "LINES": "24",
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", ASKS], stdin=slave, stdout=slave, stderr=slave, env=environment
    ) as asking:
        os.set_blocking(master, False)
        shown, answered, limit = b"", 0, time.monotonic() + PATIENCE
        while not (told := re.search(rb"FOUND (\S+) END", shown)):
            assert time.monotonic() < limit and asking.poll() in (None, 0), shown[-2000:]
            try:
                shown += os.read(master, 65536)
            except BlockingIOError:
                time.sleep(0.01)
            if b"\x1b[c" in shown[answered:]:
                answered = len(shown)
                os.write(master, b"\x1b[?" + attributes + b"c")
            if knows_kitty and (query := re.search(rb"\x1b_Gi=(\d+),.*?\x1b\\", shown[answered:])):
                answered = len(shown)
                os.write(master, b"\x1b_Gi=" + query[1] + b";OK\x1b\\")
    os.close(master)
    os.close(slave)
    assert told[1] == found
    assert shown.count(b"\x1b[c") == 1


def test_without_a_terminal_or_with_few_colours_there_are_half_blocks() -> None:
    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        assert picture_widget(app, shaded=False) is None
        assert picture_widget(app, shaded=True) is None

    drive(scenario)


def test_the_gallery_hands_the_terminal_the_pictures_of_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pixels = np.tile(drawn().test_images, (10, 1, 1))
    monkeypatch.setattr(test_images, "test_images", lambda dataset, folders: pixels)
    monkeypatch.setattr(mistakes, "picture_widget", lambda app, shaded: widget.SixelImage)

    def drawn_now(app: ScriptedApp) -> list[np.ndarray]:
        cells = app.screen.query_one(SharpPictures)._cells
        return [np.asarray(picture.image) for cell, _, picture in cells if cell.display]

    async def scenario(app: ScriptedApp, pilot: Pilot[Any]) -> None:
        screen = await opened(pilot, Mistakes, "4", "h", "m")
        await press(pilot, "s")
        gallery = screen.query_one("#gallery")
        page = drawn_now(app)
        assert len(page) == gallery._across * gallery._down > 1
        shown = gallery._images[: len(page)]
        assert all((a == pixels[image]).all() for a, image in zip(page, shown, strict=True))
        cells = screen.query_one(SharpPictures)._cells
        before = [picture.image for *_, picture in cells]
        await press(pilot, "right")
        assert "▶" in str(cells[1][1].content)
        assert [picture.image for *_, picture in cells] == before
        await press(pilot, "pagedown")
        assert (drawn_now(app)[0] == pixels[gallery._images[len(page)]]).all()

    drive(scenario)
