"""What Ctrl+C, ``kill`` and a closed terminal ask of a batch: save and leave, in two seconds."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from types import FrameType
from typing import Literal

PATIENCE_SECONDS = 1.8
"""After a signal the process leaves in any case, even from within a long step or a locked store:
finished epochs are kept already, and the run counts as interrupted."""
_LAST_WORD = (
    "\nfashiontui: left in the middle of a step or a write; finished epochs are kept, {remedy}\n"
)
LISTENED = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


def minded() -> list[signal.Signals]:
    """The signals that end the program, less those it was started to ignore, as by ``nohup``."""
    return [number for number in LISTENED if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def unheard() -> Iterator[None]:
    """Processes started within the block hear none of these signals, which go to whole groups.

    They are told by this process what to do, and leave when it has gone.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # otherwise started with the first process, and unblocks them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, LISTENED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Signals:
    """Turns the first signal into a ``KeyboardInterrupt``, or, while a run trains, into a wish.

    A second one leaves at once. Signals that were ignored when the process began, as ``nohup``
    ignores SIGHUP, stay ignored.
    """

    def __init__(self, remedy: str = "continue with: fashiontui --batch --resume") -> None:
        """Args:
        remedy: How to go on, for the last word of a process that could not end what it did.
        """
        self._last_word = _LAST_WORD.format(remedy=remedy).encode()
        self.received: int | None = None
        """Number of the first signal."""
        self._then: Literal["raise", "note", "leave"] = "raise"

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells have it."""
        return 128 + (self.received or signal.SIGINT)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Mind signals within the block; does nothing in any but the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in minded()}
        # Python runs handlers between two lines of the main thread, which may be long in coming:
        # another thread hears of the signal through a socket at once, and watches the clock.
        heard, told = socket.socketpair()
        told.setblocking(False)
        waker = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        watched = (heard, set(map(int, before)), self._last_word)
        watch = threading.Thread(target=_watch, args=watched, daemon=True)
        watch.start()
        for number in before:
            signal.signal(number, self._handle)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(waker)
            told.close()
            watch.join()
            heard.close()

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Within the block a signal only sets ``received``, to be looked at between batches."""
        self._then = "note"
        try:
            yield
        finally:
            self._then = "raise"

    @contextmanager
    def obeyed_at_once(self) -> Iterator[None]:
        """Within the block, where nothing is to be saved, a signal ends the process."""
        self._then = "leave"
        try:
            yield
        finally:
            self._then = "raise"

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._then == "leave":
            leave_at_once(number)
        if self.received is None:
            self.received = number
            if self._then == "raise":
                raise KeyboardInterrupt


def leave_at_once(number: int) -> None:
    """End the process as killed by a signal, with the terminal's cursor shown again."""
    if sys.stderr is not None and sys.stderr.isatty():
        with suppress(OSError):  # it has gone
            os.write(sys.stderr.fileno(), b"\x1b[?25h\r\n")
    os._exit(128 + number)


def _watch(heard: socket.socket, numbers: set[int], last_word: bytes) -> None:
    """Leave a while after the first of these signals, and at once after the second."""
    first: int | None = None
    while True:
        try:
            told = heard.recv(64)
        except TimeoutError:
            with suppress(OSError, ValueError):  # nobody is there to be told
                os.write(sys.stderr.fileno(), last_word)
            leave_at_once(first or signal.SIGINT)
        if not told:
            return
        for number in filter(numbers.__contains__, told):
            if first is not None:
                leave_at_once(number)
            first = number
            heard.settimeout(PATIENCE_SECONDS)
