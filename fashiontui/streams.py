"""Standard streams that may be closed, full, or no longer read."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, NoReturn


class StdoutError(Exception):
    """Stdout takes no more; the message says why, and is empty where its reader has left."""


class _Results(io.TextIOWrapper):
    """Stdout, whose failing can be told from every other file's."""

    def write(self, text: str) -> int:
        """As any file."""
        try:
            return super().write(text)
        except OSError as error:
            _refuse(error)

    def flush(self) -> None:
        """As any file."""
        try:
            super().flush()
        except OSError as error:
            _refuse(error)


class _Narration(io.TextIOWrapper):
    """Stderr: what it cannot take is not missed, unless its terminal has gone."""

    def write(self, text: str) -> int:
        """As any file, where that is possible."""
        try:
            return super().write(text)
        except OSError as error:
            if error.errno == errno.EIO:
                raise
            return len(text)

    def flush(self) -> None:
        """As any file, where that is possible."""
        try:
            super().flush()
        except OSError as error:
            if error.errno == errno.EIO:
                raise


def prepare() -> None:
    """Open what was closed, so that no store gets its number, and mind what fails to be written.

    Results get a descriptor of their own, which ``for_results_alone`` leaves as it is.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    _, encoding, errors = _as(sys.stdout, 1)
    sys.stdout = _Results(open(os.dup(1), "wb"), encoding, errors)  # noqa: SIM115
    sys.stderr = _Narration(*_as(sys.stderr, 2), line_buffering=True)


@contextmanager
def for_results_alone() -> Iterator[None]:
    """Send what a library prints meanwhile, from Python or C++, to stderr.

    A stdout that was prepared still takes what is written to it by who had it before.
    """
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _as(stream: Any, number: int) -> tuple[Any, str, str]:
    """What another wrapper around the same bytes needs."""
    if stream is None:
        return open(number, "wb", closefd=False), "utf-8", "backslashreplace"
    return stream.buffer, stream.encoding, stream.errors


def _refuse(error: OSError) -> NoReturn:
    if error.errno == errno.EIO:  # the terminal has gone, which is no fault of the results
        raise error
    raise StdoutError("" if isinstance(error, BrokenPipeError) else error.strerror) from error
