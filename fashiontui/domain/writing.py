"""Files that are there whole or not at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fashiontui.domain.errors import UsageError


@contextmanager
def written_whole(target: Path, force: bool = False) -> Iterator[Path]:
    """Where to write a file that then moves to its place: it is there whole or not at all.

    Args:
        target: Its place.
        force: Whether it may take the place of another file.

    Raises:
        UsageError: a file of that name is there, or it cannot be written.
    """
    place = target.expanduser().absolute()
    refuse_to_replace(target, force)
    try:
        with TemporaryDirectory(dir=place.parent, prefix=f".{place.name[:40]}-") as folder:
            written = Path(folder) / place.name
            yield written
            with written.open("rb") as file:
                os.fsync(file.fileno())
            refuse_to_replace(target, force)  # asked again: it took a while
            written.replace(place)
            sync_folder(place.parent)
    except OSError as error:
        raise UsageError(
            f"Cannot write {target}: {error.strerror or error}; name another file."
        ) from error


def refuse_to_replace(target: Path, force: bool) -> None:
    """Say no to what is there already, unless it is an ordinary file and may be replaced.

    Raises:
        UsageError: it is there.
    """
    try:
        mode = os.lstat(target.expanduser()).st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # a name too long, or with a NUL in it
        raise UsageError(f"Cannot write {target}: {error}; name another file.") from error
    if stat.S_ISDIR(mode):
        raise UsageError(f"{target} is a folder; name a file in it.")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{target} is no ordinary file; name another one.")
    if not force:
        raise UsageError(f"{target} is there already; --force puts the export in its place.")


def make_folder(folder: Path) -> None:
    """Make a folder, and those it lies in, where there is none.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.expanduser().mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"Cannot make the folder {folder}: {why}; name another one.") from error


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder outlive a failure of power; not possible on Windows."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
