"""Fashion-MNIST: found, or downloaded; verified; read into memory.

torchvision knows the first mirror. Its reader wants the archives unpacked beside themselves; here
they are only ever read where they lie, which also serves read-only folders. It takes as long to
load as torch itself, so it is loaded for a download alone.
"""

import hashlib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from torch import Tensor

from fashiontui.data.dataset import Dataset
from fashiontui.data.idx import read_images, read_labels
from fashiontui.data.load import NotObtainable
from fashiontui.domain.errors import DataError

ARCHIVES = (
    ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
    ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
    ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
)
"""Their names and MD5 sums, the same as torchvision's."""
DOWNLOAD_BYTES = 30_878_645
"""Size of the four archives together."""
MORE_MIRRORS = ["https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"]
"""Where its authors keep the archives; asked when torchvision's own mirror does not deliver."""
PARTIAL = ".download"
"""Folder beside the archives that marks a download which is not complete."""

Progress = Callable[[int, int], None]
"""Told how many bytes have arrived, and how many there are in all."""


def load(
    folders: list[Path],
    notice: Callable[[str], None],
    progress: Progress = lambda done, total: None,
) -> Dataset:
    """Fashion-MNIST from the first folder that holds it, else downloaded into the first folder.

    Args:
        folders: Where to look, in order: torchvision's root, its ``raw`` folder, or any folder
            with the four ``.gz`` archives.
        notice: Told when the first folder does not serve.
        progress: Told how much of a download has arrived, and how much there is, in bytes.

    Raises:
        NotObtainable: no folder holds it and it cannot be downloaded.
        DataError: a file is not Fashion-MNIST's, or cannot be read.
    """
    archives = find(folders)
    if archives is None:
        notice(f"Downloading Fashion-MNIST (31 MB) to {_destination(folders[0])}.")
        return _read(download(folders[0], notice, progress))
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
        DataError: some archives lie there and others are missing, though nothing downloads them, or
            the folder cannot be looked into.
    """
    for place in (folder, folder / "raw", folder / "FashionMNIST" / "raw"):
        try:
            missing = [name for name, _ in ARCHIVES if not (place / name).is_file()]
            incomplete = (place / PARTIAL).is_dir()
        except OSError as error:
            raise DataError(f"Cannot look into {place}: {error.strerror}.") from error
        if not missing:
            return place
        if len(missing) < len(ARCHIVES) and not incomplete:
            raise DataError(
                f"{place} lacks {', '.join(missing)}; put all four Fashion-MNIST archives there, "
                "or none to have them downloaded."
            )
    return None


def _read(archives: Path) -> Dataset:
    """Verify the four archives and read them.

    Each is read once, whole, and verified before it is unpacked, so that what is unpacked is what
    was verified.
    """
    train, train_labels, test, test_labels = (
        _read_archive(archives / name, md5, read)
        for (name, md5), read in zip(ARCHIVES, (read_images, read_labels) * 2, strict=True)
    )
    return Dataset("fashion-mnist", train, train_labels, test, test_labels)


def _read_archive(archive: Path, md5: str, read: Callable[[bytes], Tensor]) -> Tensor:
    try:
        with archive.open("rb") as file:
            content = file.read(DOWNLOAD_BYTES + 1)  # more is none of Fashion-MNIST's
    except OSError as error:
        raise DataError(f"Cannot read {archive}: {error.strerror}.") from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise DataError(
            f"{archive} is not Fashion-MNIST's (its checksum differs: damaged, cut "
            "short, or another data set's); delete it and copy or download it again."
        )
    try:
        return read(content)
    except DataError as error:
        raise DataError(f"{archive} is not Fashion-MNIST's: {error}; delete it.") from error


def _destination(root: Path) -> Path:
    """Where torchvision would download to, so that it finds the archives too."""
    return root / "FashionMNIST" / "raw"


def download(
    root: Path,
    notice: Callable[[str], None],
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """Download the archives below ``root`` and return their folder.

    Args:
        root: The archives go to ``FashionMNIST/raw`` below it.
        notice: Told when another process downloads there and this one waits.
        progress: Told how many bytes have arrived, and how many there are in all.
        cancelled: Asked ten times a second whether to give up.

    Raises:
        NotObtainable: the mirrors or the folder do not let it, or it was cancelled. What has
            arrived is taken up at the next try.
        DataError: torchvision, which knows the first mirror, cannot be loaded.
    """
    first_mirrors = _torchvisions_mirrors()
    from fashiontui.data import download as over_http  # loads httpx, which finding can spare

    destination = _destination(root)
    remedy = "put its four .gz archives into a folder and name it with --data-dir"
    try:
        destination.mkdir(parents=True, exist_ok=True)
        over_http.Download(
            ARCHIVES,
            [*first_mirrors, *MORE_MIRRORS],
            destination,
            destination / PARTIAL,
            most_bytes=DOWNLOAD_BYTES,
            arrived=lambda done: progress(done, DOWNLOAD_BYTES),
            cancelled=cancelled,
            waiting=lambda: notice(f"Another process downloads to {destination}; waiting for it."),
            patience=over_http.PATIENCE,
        ).run()
    except over_http.Undeliverable as error:
        raise NotObtainable(f"Cannot download Fashion-MNIST ({error}); {remedy}.") from error
    except OSError as error:
        reason = error.strerror or error
        raise NotObtainable(
            f"Cannot write Fashion-MNIST to {destination} ({reason}); make room there, name "
            f"another folder with --data-dir, or {remedy}."
        ) from error
    except over_http.Cancelled as error:
        raise NotObtainable(
            "The download was cancelled; what has arrived is kept for the next try."
        ) from error
    return destination


def _torchvisions_mirrors() -> list[str]:
    try:
        from torchvision.datasets import FashionMNIST
    except (ImportError, RuntimeError, AttributeError, OSError) as error:
        # One built for another torch fails in any of these ways, with a text about operators.
        try:
            of = f"torchvision {version('torchvision')} does not work with torch {version('torch')}"
        except PackageNotFoundError:
            of = "torchvision is not installed"
        raise DataError(
            f"Cannot download Fashion-MNIST because {of}; "
            "run: pip install --upgrade --force-reinstall torch torchvision"
        ) from error
    mirrors: list[str] = FashionMNIST.mirrors
    return mirrors
