"""Fixtures: a home of its own for every test, data sets real and fake, and the command line."""

import gzip
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from benchmarks.reliability import postgres as postgres_server

# A shell's background job ignores Ctrl+C, one under nohup a closed terminal, and so would every
# process started from it; from here they start with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

REPOSITORY = Path(__file__).resolve().parent.parent
_REAL_DATA = Path(
    os.environ.get("FASHIONTUI_DATA_DIR") or REPOSITORY.parent / "shared" / "data"
).absolute()
_NAMED_SERVER = os.environ.get("FASHIONTUI_TEST_POSTGRES")
_NO_SERVER = pytest.StashKey[str]()
_NO_BROWSER = pytest.StashKey[str]()
ARCHIVES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test, and every process it starts, out of the user's own folders."""
    for name in [name for name in os.environ if name.startswith("FASHIONTUI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name.lower()))


@pytest.fixture(autouse=True)
def _own_arithmetic() -> Iterator[None]:
    """Undo what training sets for its thread: hypothesis refuses to work with denormals flushed."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """A folder with the four real archives; the test is skipped where there is none."""
    for folder in (_REAL_DATA, _REAL_DATA / "raw", _REAL_DATA / "FashionMNIST" / "raw"):
        if all((folder / name).is_file() for name in ARCHIVES):
            return folder
    pytest.skip(
        f"the real Fashion-MNIST is not in {_REAL_DATA}; put its four .gz archives into a folder "
        "and name it with FASHIONTUI_DATA_DIR"
    )


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[postgres_server.Server]:
    """A real PostgreSQL server; without one the test is skipped, and the summary says so."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(postgres_server.running(_NAMED_SERVER))
        except postgres_server.NoServer as missing:
            request.config.stash[_NO_SERVER] = str(missing)
            pytest.skip(str(missing))
        yield running


@pytest.fixture
def postgres(server: postgres_server.Server) -> Iterator[str]:
    """URL of an empty PostgreSQL database of the test's own."""
    with server.database() as url:
        yield url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what was not tested for want of a program."""
    stash = terminalreporter.config.stash
    if missing := stash.get(_NO_SERVER, None):
        terminalreporter.write_line(f"STORES ON POSTGRESQL WERE NOT TESTED: {missing}", red=True)
    if missing := stash.get(_NO_BROWSER, None):
        terminalreporter.write_line(f"THE APP IN A BROWSER WAS NOT TESTED: {missing}", red=True)


@pytest.fixture
def chromium(request: pytest.FixtureRequest) -> str:
    """A headless browser; without one the test is skipped, and the summary says so."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        missing = "there is no chromium (apt-get install chromium)"
        request.config.stash[_NO_BROWSER] = missing
        pytest.skip(missing)
    return found


@dataclass(frozen=True)
class TinyArchives:
    """A folder with four small archives that pass for Fashion-MNIST's during one test."""

    folder: Path
    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def idx_gz(array: np.ndarray) -> bytes:
    """An uint8 array as a gzipped IDX file, the form MNIST's kin are published in."""
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes(), mtime=0)


@pytest.fixture
def tiny_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyArchives:
    """100 training and 50 test images of noise, accepted as Fashion-MNIST in this process."""
    from fashiontui.data import fashion_mnist

    random = np.random.default_rng(7)
    images = random.integers(0, 256, (100, 28, 28), dtype=np.uint8)
    test_images = random.integers(0, 256, (50, 28, 28), dtype=np.uint8)
    labels = np.tile(np.arange(10, dtype=np.uint8), 10)
    test_labels = np.tile(np.arange(10, dtype=np.uint8), 5)
    folder = tmp_path / "tiny"
    folder.mkdir()
    resources = []
    for name, array in zip(ARCHIVES, (images, labels, test_images, test_labels), strict=True):
        content = idx_gz(array)
        (folder / name).write_bytes(content)
        resources.append((name, hashlib.md5(content).hexdigest()))
    monkeypatch.setattr(fashion_mnist, "ARCHIVES", resources)
    return TinyArchives(folder, images, labels, test_images, test_labels)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    """Run ``fashiontui`` as a process of its own."""

    def run(*arguments: str, env: dict[str, str] | None = None) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "fashiontui", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            timeout=120,
            env={**os.environ, **(env or {})},
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """Run ``fashiontui`` in this process, which has torch loaded already.

    All of the command but its last step, which ends the process.
    """
    from fashiontui import entry

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = entry.run(list(arguments))
        written = capsys.readouterr()
        return Outcome(code, written.out, written.err)

    return run
