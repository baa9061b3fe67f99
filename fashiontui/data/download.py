"""Files over HTTP that survive the network: resumed, verified, moved into place whole.

Each file is written into a folder of partial files, where an interrupted download is taken up
again, and gets its final name only when its checksum is right. The folder of partial files is there
as long as a file is missing, and locked, so that of two processes one waits for the other.
"""

import asyncio
import os
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import responses
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from filelock import FileLock, Timeout
from torchvision.datasets.utils import check_integrity

CANCEL_SECONDS = 0.1
"""How often it is asked whether to give up."""
LOCK_SECONDS = 0.2
"""How often a process looks whether the other one that downloads is done."""
TRY_LATER = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""Answers below 500 that may be others the next time."""


@dataclass(frozen=True)
class Patience:
    """How long to put up with mirrors that do not deliver."""

    stall_seconds: float = 20.0
    """A mirror has so long to begin, and then for each ``least_bytes``."""
    least_bytes: int = 40_000
    """What must arrive in that time: 2 kB/s, an hour and a quarter for the largest archive."""
    waits: tuple[float, ...] = (0.0, 1.0, 4.0)
    """Seconds to wait before each round over the mirrors."""


PATIENCE = Patience()


class Undeliverable(Exception):
    """No mirror sent the file; the message names what each of them said."""


class Cancelled(Exception):
    """The user gave up waiting."""


class _Fault(Exception):
    """What a mirror did instead of sending the file."""

    is_final = False
    """Whether it would do the same again."""


class _Refusal(_Fault):
    is_final = True


@dataclass
class Download:
    """Files that are to be had from any of several mirrors."""

    files: Sequence[tuple[str, str]]
    """Names and MD5 checksums, in hexadecimal digits."""
    mirrors: Sequence[str]
    """URLs that a name is appended to, tried in this order."""
    folder: Path
    """Where the files go; it exists."""
    partials: Path
    """Where they are until they are whole, on the same disk; made, and removed at the end."""
    most_bytes: int
    """No file is larger; a mirror that sends more is refused."""
    arrived: Callable[[int], None]
    """Told how many bytes of all files are there, whenever there are more."""
    cancelled: Callable[[], bool]
    """Asked ten times a second whether to give up."""
    waiting: Callable[[], None]
    """Told when another process downloads into the same folder."""
    patience: Patience
    """How long to put up with mirrors that do not deliver."""

    def run(self) -> None:
        """Bring every file that is not there yet.

        Raises:
            Undeliverable: a file is to be had from no mirror, or the settings of proxy or
                certificates in the environment cannot be used.
            Cancelled: ``cancelled`` said so. What has arrived is kept for the next time.
            OSError: the folder cannot be written, or the disk is full.
        """
        asyncio.run(self._until_cancelled(self._fetch_all()))

    async def _until_cancelled(self, work: Coroutine[None, None, None]) -> None:
        # A thread that looks up a name cannot be stopped; without this, leaving would wait for it.
        asyncio.get_running_loop().set_default_executor(_NotWaitedFor())
        task = asyncio.create_task(work)
        while not task.done():
            if self.cancelled():
                task.cancel()
            await asyncio.wait([task], timeout=CANCEL_SECONDS)
        if task.cancelled():
            raise Cancelled
        task.result()

    async def _fetch_all(self) -> None:
        async with self._locked(), _client() as client:
            for name, md5 in self.files:
                if not check_integrity(self.folder / name, md5):
                    await self._fetch(client, name, md5)
            shutil.rmtree(self.partials)  # before it is unlocked: it has nothing to say now

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Keep other processes out; the system unlocks what a killed one had locked."""
        lock = FileLock(self.partials / "lock")
        told = False
        while not lock.is_locked:
            self.partials.mkdir(exist_ok=True)  # another process may just have removed it
            try:
                lock.acquire(timeout=0)
            except Timeout:
                if not told:
                    self.waiting()
                told = True
                await asyncio.sleep(LOCK_SECONDS)
        try:
            yield
        finally:
            lock.release()

    async def _fetch(self, client: httpx.AsyncClient, name: str, md5: str) -> None:
        """Bring one file from whichever mirror has it, in rounds with growing waits."""
        partial = self.partials / name
        if await self._complete(name, md5):  # and never moved: the process was killed in between
            return
        said: dict[str, _Fault] = {}
        for wait in self.patience.waits:
            mirrors = [m for m in self.mirrors if m not in said or not said[m].is_final]
            if mirrors:
                await asyncio.sleep(wait)
            for mirror in mirrors:
                said.pop(mirror, None)
                try:
                    await self._receive(client, mirror + name, partial)
                except _Fault as fault:
                    said[mirror] = fault
                # A right checksum outweighs a complaint: a server may announce more than there is.
                if await self._complete(name, md5):
                    return
                if mirror not in said:
                    partial.unlink()
                    said[mirror] = _Fault("what it sent has another checksum")
        raise Undeliverable(
            "; ".join(f"{urlsplit(mirror).netloc}: {said[mirror]}" for mirror in self.mirrors)
        )

    async def _complete(self, name: str, md5: str) -> bool:
        """Move a partial file into place if nothing of it is missing, and say whether it was so."""
        partial = self.partials / name
        whole: bool = await asyncio.to_thread(check_integrity, partial, md5)
        if whole:
            await asyncio.to_thread(_put, partial, self.folder / name)
        return whole

    async def _receive(self, client: httpx.AsyncClient, url: str, partial: Path) -> None:
        """Add to a partial file what the mirror sends of the rest.

        Raises:
            _Fault: it did not send everything, or something else.
        """
        before = sum(
            path.stat().st_size for name, _ in self.files if (path := self.folder / name).exists()
        )
        there = partial.stat().st_size if partial.exists() else 0
        asked = {"Range": f"bytes={there}-"} if there else {}
        try:
            async with (
                asyncio.timeout(self.patience.stall_seconds) as limit,
                client.stream("GET", url, headers=asked) as response,
            ):
                _check(response, partial)
                there = there if response.status_code == HTTPStatus.PARTIAL_CONTENT else 0
                counted = there
                with partial.open("ab" if there else "wb") as file:
                    async for chunk in response.aiter_raw():
                        there += file.write(chunk)
                        if there > self.most_bytes:
                            partial.unlink()
                            raise _Refusal("it sends more than the file has")
                        if there - counted >= self.patience.least_bytes:
                            counted = there
                            now = asyncio.get_running_loop().time()
                            limit.reschedule(now + self.patience.stall_seconds)
                        self.arrived(before + there)
        except TimeoutError as error:
            raise _Fault(
                f"less than {self.patience.least_bytes:,} bytes in "
                f"{self.patience.stall_seconds:g} s"
            ) from error
        except httpx.HTTPError as error:
            raise _Fault(_reason(error)) from error


class _NotWaitedFor(ThreadPoolExecutor):
    """Threads that nobody waits for at the end."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=cancel_futures)


@asynccontextmanager
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    """A client that follows redirects and heeds the proxies of the environment.

    Its own time limits are off: ``Patience`` covers everything from looking up the name onwards.
    """
    try:
        client = httpx.AsyncClient(
            follow_redirects=True, timeout=None, headers={"Accept-Encoding": "identity"}
        )
    except (ValueError, OSError, httpx.InvalidURL) as error:
        raise Undeliverable(
            f"the proxy or certificate settings of the environment cannot be used: {error}"
        ) from error
    async with client:
        yield client


def _check(response: httpx.Response, partial: Path) -> None:
    """Refuse an answer that is not a file."""
    status = response.status_code
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        partial.unlink(missing_ok=True)  # it has more than there is: begin again
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        fault = _Fault if status >= 500 or status in TRY_LATER else _Refusal
        raise fault(f"{status} {responses.get(status, 'is no known status')}")
    if response.headers.get("content-type", "").startswith("text/html"):
        raise _Refusal("a web page instead of the file (does this network want a login?)")


def _reason(error: BaseException) -> str:
    """What went wrong with a connection, from the innermost cause that can be put plainly."""
    said = str(error) or type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, socket.gaierror):
            return "its name is not known here: no network?"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS connection: {cause.reason or cause}"
        if isinstance(cause, OSError) and cause.errno:
            said = os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return said


def _put(partial: Path, destination: Path) -> None:
    """Give a file its final name, whole even if the power fails in between."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, destination)
    if os.name == "nt":
        return  # opens no folders
    folder = os.open(destination.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
