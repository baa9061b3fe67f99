"""Files that people write, or strangers: read within bounds, or refused."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

from fashiontui.domain.errors import UsageError

MOST_BYTES = 100_000
"""No recipe or settings file is larger."""
LONGEST_LINE = 1_000
"""Characters; the time to read a dotted TOML key grows with the square of its length."""


def read_bytes(path: Path, what: str, most_bytes: int = MOST_BYTES) -> bytes:
    """The content of a file; no device, pipe or flood of bytes is waited for.

    Args:
        path: Where it lies.
        what: What the file is, for the sentence that refuses it.
        most_bytes: A larger file is refused.

    Raises:
        UsageError: it is missing, no regular file, or too large.
    """
    where = f"Cannot read {what} {path}"
    try:
        # A pipe that nobody writes to would otherwise be waited for.
        opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise UsageError(f"{where}: it is no regular file.")
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise UsageError(f"{where}: {error.strerror}.") from error
    except ValueError as error:  # of a NUL in the path
        raise UsageError(f"{where}: {error}.") from error
    if len(content) > most_bytes:
        raise UsageError(f"{where}: it is larger than {most_bytes:,} bytes.")
    return content


def read_text(path: Path, what: str, most_bytes: int = MOST_BYTES) -> str:
    """The text of a small file; otherwise as ``read_bytes``.

    Raises:
        UsageError: it is missing, no regular file, too large, or not UTF-8.
    """
    try:
        return read_bytes(path, what, most_bytes).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"Cannot read {what} {path}: it is not a UTF-8 text file.") from error


def parse_toml(text: str, what: str) -> dict[str, Any]:
    """The table that a TOML text is.

    Args:
        text: The text.
        what: What it is, for the sentence that refuses it.

    Raises:
        UsageError: it is no TOML, nested too deeply, or has a very long line.
    """
    if any(len(line) > LONGEST_LINE for line in text.split("\n")):
        raise UsageError(f"{what} has a line of more than {LONGEST_LINE:,} characters; break it.")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or a number of 4,301 digits
        raise UsageError(f"{what} is not valid TOML: {error}.") from error
