"""Fashion-MNIST is downloaded from the data screen: with a bar, cancelled at once, retried."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mirror as answers
import pytest
from driving import press, settle, until
from mirror import Mirror, serving, whole
from scripted import ScriptedApp
from textual.pilot import Pilot
from textual.widgets import Button, ProgressBar, Static
from torchvision.datasets import FashionMNIST

from fashiontui.data import download as over_http
from fashiontui.data import fashion_mnist
from fashiontui.tui.screens.data import ChooseData

FILES = {name: name.encode() * 5000 for name, _ in fashion_mnist.ARCHIVES}


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A server in the place of all mirrors, with files that pass for Fashion-MNIST's archives."""
    checksums = [(name, hashlib.md5(content).hexdigest()) for name, content in FILES.items()]
    with serving(FILES, whole) as mirror:
        monkeypatch.setattr(fashion_mnist, "ARCHIVES", checksums)
        monkeypatch.setattr(FashionMNIST, "mirrors", [mirror.address])
        monkeypatch.setattr(fashion_mnist, "MORE_MIRRORS", [])
        monkeypatch.setattr(over_http, "PATIENCE", over_http.Patience(5, 1, (0,)))
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield mirror


async def click(pilot: Pilot[Any]) -> None:
    """Click the button that downloads and cancels; one just pressed takes no click."""
    button = pilot.app.screen.query_one("#download")
    await until(pilot, lambda: not button.has_class("-active"))
    await pilot.click("#download")


def drive(scenario: Callable[[ChooseData, Pilot[Any]], Any], folder: Path) -> ScriptedApp:
    """Run a scenario on the data screen of an app that downloads into a folder."""
    app = ScriptedApp()
    app._download_to = folder

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(pilot)
            await press(pilot, "d")
            assert isinstance(app.screen, ChooseData)
            await scenario(app.screen, pilot)

    asyncio.run(run())
    return app


def said(screen: ChooseData) -> str:
    return str(screen.query_one("#complaint", Static).content)


def label(screen: ChooseData) -> str:
    return str(screen.query_one("#download", Button).label)


@pytest.mark.usefixtures("mirror")
def test_a_download_that_succeeds_closes_the_screen_and_is_used(tmp_path: Path) -> None:
    async def scenario(screen: ChooseData, pilot: Pilot[Any]) -> None:
        await click(pilot)
        await until(pilot, lambda: not screen.is_attached)

    app = drive(scenario, tmp_path)
    assert app._folders[0] == tmp_path / "FashionMNIST" / "raw"
    assert {path.name: path.read_bytes() for path in app._folders[0].iterdir()} == FILES


def test_a_bar_shows_the_bytes_that_have_arrived(mirror: Mirror, tmp_path: Path) -> None:
    mirror.script[:] = [whole, answers.silence_midway]

    async def scenario(screen: ChooseData, pilot: Pilot[Any]) -> None:
        assert not screen.query_one(ProgressBar).region.area
        await click(pilot)
        first, second = (len(content) for content in list(FILES.values())[:2])
        await until(pilot, lambda: screen.query_one(ProgressBar).progress == first + second // 2)
        assert screen.query_one(ProgressBar).total == fashion_mnist.DOWNLOAD_BYTES
        assert str(screen.query_one("#bytes", Static).content) == "0.2 of 30.9 MB"
        for shown in (screen.query_one(ProgressBar), screen.query_one("#bytes")):
            assert shown.region.area
        await pilot.press("escape")

    drive(scenario, tmp_path)


@pytest.mark.parametrize("how", ["escape", "button"])
def test_a_download_is_cancelled_within_a_second_and_can_begin_again(
    how: str, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.script[:] = [answers.silence]

    async def scenario(screen: ChooseData, pilot: Pilot[Any]) -> None:
        await click(pilot)
        await until(pilot, lambda: mirror.asked)
        assert label(screen) == "Cancel the download"
        began = time.monotonic()
        await (pilot.press("escape") if how == "escape" else click(pilot))
        await until(pilot, lambda: "was cancelled" in said(screen))
        assert time.monotonic() - began < 1
        assert label(screen).startswith("Download")
        mirror.script[:] = [whole]
        await click(pilot)
        await until(pilot, lambda: not screen.is_attached)

    drive(scenario, tmp_path)


def test_a_download_that_fails_says_why_and_escape_closes(mirror: Mirror, tmp_path: Path) -> None:
    mirror.script[:] = [answers.status(503)]

    async def scenario(screen: ChooseData, pilot: Pilot[Any]) -> None:
        await click(pilot)
        await until(pilot, lambda: "503 Service Unavailable" in said(screen))
        await pilot.press("escape")
        await until(pilot, lambda: not screen.is_attached)

    drive(scenario, tmp_path)


def test_leaving_for_the_sample_set_ends_the_download(mirror: Mirror, tmp_path: Path) -> None:
    mirror.script[:] = [answers.silence]

    async def scenario(screen: ChooseData, pilot: Pilot[Any]) -> None:
        await click(pilot)
        await until(pilot, lambda: mirror.asked)
        await until(
            pilot, lambda: screen.query_one(ProgressBar).region.area
        )  # it moves the buttons
        worker = screen._download
        await pilot.click("#sample")
        await until(pilot, lambda: not screen.is_attached)
        assert worker is not None
        assert worker.is_cancelled
        await until(pilot, lambda: pilot.app.lab.configure.dataset == "sample")

    drive(scenario, tmp_path)


@pytest.mark.parametrize("typed", ["[/]", "[red]x", "~nobody-of-that-name/x", "\x1b[2J", "x" * 300])
def test_a_folder_of_any_name_is_answered_and_its_name_shown(typed: str, tmp_path: Path) -> None:
    async def scenario(screen: ChooseData, pilot: Pilot[Any]) -> None:
        screen.query_one("#folder").value = typed
        screen.query_one("#folder").focus()
        await pilot.press("enter")
        await until(pilot, lambda: said(screen).startswith("✗ "))
        assert typed[:3].replace("\x1b", "\\x1b") in said(screen)
        assert "\x1b" not in said(screen)

    drive(scenario, tmp_path)
