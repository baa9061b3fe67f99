"""Fashion-MNIST through torchvision: found, or downloaded; verified; read into memory.

The four archives are only ever read where they lie. torchvision wants them unpacked beside
themselves, so they are unpacked into a temporary folder, which also serves read-only folders.
"""

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fashiontui.data.dataset import Dataset
from fashiontui.data.load import NotObtainable
from fashiontui.domain.errors import DataError

DOWNLOAD_BYTES = 30_878_645
"""Size of the four archives together."""
STALL_SECONDS = 30
"""A download that receives nothing for so long is given up."""

try:
    from torchvision.datasets import FashionMNIST
    from torchvision.datasets.utils import check_integrity, extract_archive
except (ImportError, RuntimeError, AttributeError, OSError) as error:
    # A torchvision built for another torch fails in any of these ways, with a text about operators.
    try:
        found = f"torchvision {version('torchvision')} does not work with torch {version('torch')}"
    except PackageNotFoundError:
        found = "torchvision is not installed"
    raise DataError(
        f"Cannot read Fashion-MNIST because {found}; "
        "run: pip install --upgrade --force-reinstall torch torchvision"
    ) from error


def load(folders: list[Path], notice: Callable[[str], None]) -> Dataset:
    """Fashion-MNIST from the first folder that holds it, else downloaded into the first folder.

    Args:
        folders: Where to look, in order: torchvision's root, its ``raw`` folder, or any folder
            with the four ``.gz`` archives.
        notice: Told when the first folder does not serve.

    Raises:
        NotObtainable: no folder holds it and it cannot be downloaded.
        DataError: a file is not Fashion-MNIST's, or cannot be read.
    """
    archives = find(folders)
    if archives is None:
        return _read(download(folders[0], notice))
    if not archives.is_relative_to(folders[0]):
        notice(f"{folders[0]} holds no Fashion-MNIST; using {archives}.")
    return _read(archives)


def find(folders: list[Path]) -> Path | None:
    """The first folder that holds the four archives; None when no folder does.

    Raises:
        DataError: a folder holds some of them and lacks others.
    """
    return next(filter(None, map(_archives_in, folders)), None)


def _archives_in(folder: Path) -> Path | None:
    """The folder at or below this one that holds the archives; None when there is not one archive.

    Raises:
        DataError: some archives lie there and others are missing.
    """
    for place in (folder, folder / "raw", folder / "FashionMNIST" / "raw"):
        missing = [name for name, _ in FashionMNIST.resources if not (place / name).is_file()]
        if not missing:
            return place
        if len(missing) < len(FashionMNIST.resources):
            raise DataError(
                f"{place} lacks {', '.join(missing)}; put all four Fashion-MNIST archives there, "
                "or none to have them downloaded."
            )
    return None


def _read(archives: Path) -> Dataset:
    """Verify the four archives and read them."""
    for name, md5 in FashionMNIST.resources:
        try:
            genuine = check_integrity(archives / name, md5)
        except OSError as error:
            raise DataError(f"Cannot read {archives / name}: {error.strerror}.") from error
        if not genuine:
            raise DataError(
                f"{archives / name} is not Fashion-MNIST's (its checksum differs: damaged, cut "
                "short, or another data set's); delete it and copy or download it again."
            )
    try:
        with tempfile.TemporaryDirectory(prefix="fashiontui-") as scratch:
            raw = Path(scratch) / "FashionMNIST" / "raw"
            raw.mkdir(parents=True)
            for name, _ in FashionMNIST.resources:
                extract_archive(archives / name, raw)
            train = FashionMNIST(scratch, train=True)
            test = FashionMNIST(scratch, train=False)
    except OSError as error:
        raise DataError(
            f"Cannot unpack Fashion-MNIST into the temporary folder: {error.strerror or error}; "
            "free some space or set TMPDIR."
        ) from error
    return Dataset(
        "fashion-mnist",
        train.data.unsqueeze(1),
        train.targets,
        test.data.unsqueeze(1),
        test.targets,
    )


def download(root: Path, notice: Callable[[str], None]) -> Path:
    """Download the archives below ``root``, all or none, and return their folder.

    Raises:
        NotObtainable: the server or the folder does not let it.
    """
    destination = root / "FashionMNIST" / "raw"
    notice(f"Downloading Fashion-MNIST (31 MB) to {destination}.")
    try:
        destination.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=destination) as scratch:
            with _bounded_patience(), _bar_only_on_a_terminal():
                raw = Path(FashionMNIST(scratch, download=True).raw_folder)
            for name, _ in FashionMNIST.resources:
                os.replace(raw / name, destination / name)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1].rstrip(".")
        raise NotObtainable(
            f"Cannot download Fashion-MNIST to {destination} ({reason}); "
            "put its four .gz archives into a folder and name it with --data-dir."
        ) from error
    return destination


def downloaded_bytes(root: Path) -> int:
    """How much of a download below ``root`` that is under way has arrived."""
    arriving = (root / "FashionMNIST" / "raw").glob(".download-*/FashionMNIST/raw/*.gz*")
    return sum(archive.stat().st_size for archive in arriving)


@contextlib.contextmanager
def _bounded_patience() -> Iterator[None]:
    """Make torchvision's download, which sets no time limit, give up on a silent server."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def _bar_only_on_a_terminal() -> Iterator[None]:
    """Silence torchvision's progress bar where nobody watches it."""
    if sys.stderr.isatty():
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stderr(nowhere):
        yield
