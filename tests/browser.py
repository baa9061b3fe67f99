"""A headless Chromium that tests drive over its DevTools protocol."""

import asyncio
import json
import subprocess
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

OPTIONS = (
    "--headless",
    "--no-sandbox",  # CI runs as root in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-port=0",
)


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.received: list[str] = []
        """Addresses of everything that was loaded."""

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = json.loads((await self._socket.receive(timeout=60)).data)
            if message.get("method") == "Network.responseReceived":
                self.received.append(message["params"]["response"]["url"])
            if message.get("id") == self._number:
                assert "error" not in message, message
                return dict(message["result"])

    async def value(self, expression: str) -> Any:
        """What an expression is in the page."""
        result = await self.call("Runtime.evaluate", expression=expression)
        return result["result"].get("value")

    async def until(self, expression: str, seconds: float = 60) -> None:
        """Wait for an expression to become true."""
        async with asyncio.timeout(seconds):
            while not await self.value(expression):
                await asyncio.sleep(0.2)

    async def type(self, text: str) -> None:
        """Press the keys of a text."""
        for char in text:
            await self.call("Input.dispatchKeyEvent", type="keyDown", text=char, key=char)
            await self.call("Input.dispatchKeyEvent", type="keyUp", key=char)

    async def picture(self, file: Path) -> None:
        """Write a screenshot."""
        taken = await self.call("Page.captureScreenshot", format="png")
        file.write_bytes(b64decode(taken["data"]))


@asynccontextmanager
async def page(
    program: str, address: str, folder: Path, width: int = 1300, height: int = 800
) -> AsyncIterator[Page]:
    """A page with that address in a browser of its own; both are closed at the end.

    Args:
        program: The browser.
        address: What to open.
        folder: Where the browser keeps its files; new.
        width: Of the window, in pixels.
        height: Of the window.
    """
    command = (program, *OPTIONS, f"--user-data-dir={folder}", f"--window-size={width},{height}")
    with subprocess.Popen(
        [*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as browser:
        try:
            port = (await _port(folder)).splitlines()[0]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as listed:
                    [tab] = [t for t in await listed.json() if t["type"] == "page"]
                async with session.ws_connect(
                    tab["webSocketDebuggerUrl"], max_msg_size=0
                ) as socket:
                    opened = Page(socket)
                    await opened.call("Page.enable")
                    await opened.call("Network.enable")
                    await opened.call("Page.navigate", url=address)
                    yield opened
        finally:
            browser.terminate()
            browser.wait(30)


async def _port(folder: Path) -> str:
    async with asyncio.timeout(60):
        while True:
            file = folder / "DevToolsActivePort"
            if file.exists() and (text := file.read_text()):
                return text
            await asyncio.sleep(0.1)
