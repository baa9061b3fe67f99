"""A clock that stands still, one time zone, folders of their own, and cursors that do not blink."""

import time
from datetime import datetime, tzinfo
from pathlib import Path

import pytest
from scripted import NOW
from textual.widgets import Input

from fashiontui.tui import log


class StandingClock(datetime):
    """A datetime whose present is always the same."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        """The present."""
        return NOW.astimezone(tz) if tz else NOW.replace(tzinfo=None)


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing on the screen depends on the machine, the time of day or earlier tests."""
    monkeypatch.setattr(log, "datetime", StandingClock)
    monkeypatch.setattr(Input, "cursor_blink", False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for name in ("CONFIG", "CACHE", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
