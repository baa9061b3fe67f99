"""A folder of checkpoints, one file a run: whole or not there, whatever happens to the writer.

The newest checkpoint of a run replaces the former one. They go with their runs, and those of
unfinished runs go when nobody continued them for ``KEPT_DAYS``.
"""

import errno
import os
import time
from contextlib import suppress
from pathlib import Path

from fashiontui.domain.errors import CheckpointError, UsageError
from fashiontui.domain.writing import sync_folder

KEPT_DAYS = 90
"""How long the checkpoint of an unfinished run waits to be continued."""
_SUFFIX = ".safetensors"
_ASIDE = ".deleted"
_HALF = ".tmp"


class Checkpoints:
    """The checkpoints of one store's runs; of a store in memory, none are kept."""

    def __init__(self, folder: Path | None) -> None:
        """Args:
        folder: Made when the first checkpoint is written; None keeps nothing.
        """
        self.folder = folder

    def write(self, run_id: str, content: bytes) -> None:
        """Keep a run's newest checkpoint, on the disk before this returns.

        Raises:
            CheckpointError: it cannot be written; the former one is still there.
        """
        if self.folder is None:
            return
        beside = self._path(run_id).with_suffix(f".{os.getpid()}{_HALF}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                with beside.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(self._path(run_id))
            except OSError:
                with suppress(OSError):
                    beside.unlink()
                raise
            sync_folder(self.folder)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise CheckpointError(
                f"Cannot write a checkpoint to {self.folder}: {error.strerror}; "
                f"{'free some space' if full else 'mend the folder'} "
                "or name a store elsewhere with --store."
            ) from error

    def find(self, run_id: str) -> Path | None:
        """The file of a run's checkpoint, if there is one here."""
        path = self._path(run_id)
        return path if path.is_file() else None

    def of_finished(self, run_id: str) -> Path:
        """The file of a finished run's weights.

        Raises:
            UsageError: it is not on this machine.
        """
        path = self.find(run_id)
        if path is None:
            raise UsageError(
                f"The weights of run {run_id} are not on this machine: they stay where a run was "
                "trained, and are not copied with it. Train it again to have them."
            )
        return path

    def remove(self, run_id: str) -> None:
        """Remove a run's checkpoint for good; where that cannot be done, a later opening tries."""
        if path := self.find(run_id):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def set_aside(self, run_id: str) -> None:
        """Remove a run's checkpoint so that ``bring_back`` can undo it, for a day at least."""
        if path := self.find(run_id):
            with suppress(OSError):
                path.replace(path.with_suffix(_ASIDE))

    def bring_back(self, run_id: str) -> None:
        """Undo ``set_aside``."""
        aside = self._path(run_id).with_suffix(_ASIDE)
        if aside.is_file():
            with suppress(OSError):
                aside.replace(self._path(run_id))

    def clean(self) -> None:
        """Remove what was set aside, or left half written by a killed process, a day ago."""
        for path in self._files():
            if path.suffix in (_ASIDE, _HALF):
                with suppress(OSError):  # another process moved it to its place, or removed it
                    if _days_old(path) > 1:
                        path.unlink()

    def sizes(self) -> dict[str, int]:
        """Bytes of each checkpoint, by run."""
        found = {}
        for path in self._files():
            if path.suffix == _SUFFIX:
                with suppress(OSError):  # another process removed it, or it is a broken link
                    found[path.stem] = path.stat().st_size
        return found

    def overdue(self, run_id: str) -> bool:
        """Whether a checkpoint has waited so long that it may go if its run is unfinished."""
        path = self.find(run_id)
        with suppress(OSError):  # another process removed it
            return path is not None and _days_old(path) > KEPT_DAYS
        return False

    def _path(self, run_id: str) -> Path:
        return (self.folder or Path(os.devnull)) / f"{run_id}{_SUFFIX}"

    def _files(self) -> list[Path]:
        if self.folder is None:
            return []
        try:
            return list(self.folder.iterdir())
        except OSError:  # it is not there, or not to be read: no reason to refuse the store
            return []


def _days_old(path: Path) -> float:
    return (time.time() - path.stat().st_mtime) / 86_400
