"""The app in a terminal of its own: a signal saves what trains and leaves the terminal clean."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from fashiontui.domain.events import Status
from fashiontui.store import Store

PATIENCE = 60.0
TAKING_THE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal its session's own, so that signals come from it, and becomes the program."""


class InATerminal:
    """``fashiontui`` on the sample set, and the master's end of its terminal."""

    def __init__(self, folder: Path) -> None:
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.shown = b""
        self.where = str(folder / "runs.sqlite3")
        environment = {**os.environ, "COLUMNS": "120", "LINES": "40", "TERM": "xterm-256color"}
        arguments = ["-m", "fashiontui", "--data", "sample", "--store", self.where]
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKING_THE_TERMINAL, sys.executable, *arguments],
            stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
        os.set_blocking(self.master, False)

    def until(self, pattern: bytes) -> None:
        """Read the screen until something has been on it."""
        limit = time.monotonic() + PATIENCE
        while not re.search(pattern, self.shown):
            assert time.monotonic() < limit, self.shown[-2000:]
            self._read()
            time.sleep(0.02)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def ended(self) -> int:
        """Wait for the end, reading what it says; the exit code."""
        limit = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < limit
            self._read()
            time.sleep(0.01)
        self._read()
        return self.process.returncode

    def _read(self) -> None:
        with suppress(OSError):  # nothing new, or its process has ended
            self.shown += os.read(self.master, 65536)

    def train(self) -> None:
        """Train a long run until it has finished some epochs."""
        self.until(b"Leaderboard")
        self.until(b"SAMPLE")
        self.type(b"t")
        self.until(rb"epoch \d{2,}/")


@pytest.fixture
def terminal(tmp_path: Path):
    recipes = Path(os.environ["XDG_CONFIG_HOME"]) / "fashiontui" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "long.toml").write_text("[settings]\nepochs = 5000")
    state = Path(os.environ["XDG_STATE_HOME"]) / "fashiontui"
    state.mkdir(parents=True)
    (state / "last-choice.json").write_text('{"recipe": "long", "precision": "fp32"}')
    opened = InATerminal(tmp_path)
    yield opened
    opened.process.kill()
    opened.process.wait()
    for end in (opened.master, opened.slave):
        with suppress(OSError):  # closed by the test
            os.close(end)


@pytest.mark.parametrize(("sent", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_saves_the_run_and_restores_the_terminal(terminal, sent, code) -> None:
    terminal.train()
    terminal.process.send_signal(getattr(signal, sent))
    began = time.monotonic()
    assert terminal.ended() == code
    assert time.monotonic() - began < 2
    assert b"\x1b[?1049l" in terminal.shown and b"\x1b[?25h" in terminal.shown
    assert b"Traceback" not in terminal.shown
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.before[:4]
    with closing(Store(terminal.where)) as store:
        [run] = store.runs()
        assert run.status is Status.STOPPED
        assert store.checkpoints.find(run.id)


def test_a_terminal_that_vanishes_ends_the_app_with_the_run_saved(terminal) -> None:
    terminal.train()
    os.close(terminal.slave)
    os.close(terminal.master)
    began = time.monotonic()
    assert terminal.process.wait(PATIENCE) == 129
    assert time.monotonic() - began < 2
    with closing(Store(terminal.where)) as store:
        [run] = store.runs()
        assert run.status is Status.STOPPED


def test_quitting_an_idle_app_by_a_signal_needs_no_answer(terminal) -> None:
    terminal.until(b"Leaderboard")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == 143
