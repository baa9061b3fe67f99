"""Numbers and foreign texts as every screen writes them."""

from datetime import datetime

from textual.content import Content

from fashiontui.domain.board import BoardRow
from fashiontui.domain.text import printable

NOTHING = "–"
"""Stands for a value there is none of."""


def plain(text: str) -> Content:
    """A text from elsewhere: neither escape codes nor markup in it are obeyed."""
    return Content(printable(text))


def percent(value: float | None) -> str:
    """A percentage with two decimals."""
    return NOTHING if value is None else f"{value:.2f}"


def clock(seconds: float | None) -> str:
    """A time as h:mm:ss or m:ss."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def whole(value: float | None) -> str:
    """A count with thousands separators."""
    return NOTHING if value is None else f"{value:,.0f}"


def val_accuracy(row: BoardRow) -> str:
    """Validation accuracy, of several seeds their mean ± standard deviation."""
    std = row.val_std if row.runs else None
    return percent(row.val_accuracy) + (" " * 6 if std is None else f" ±{std:.2f}")


def test_accuracy(row: BoardRow) -> str:
    """Test accuracy ± half its 95% interval, or the report's ± with an asterisk."""
    if row.test_accuracy is None:
        return NOTHING
    if row.test_batch_std is not None:
        return f"{row.test_accuracy:.2f} ±{row.test_batch_std:.2f}*"
    if row.test_margin is None:
        return f"{row.test_accuracy:.2f}"
    return f"{row.test_accuracy:.2f} ±{row.test_margin:.2f} "


def seeds(row: BoardRow) -> str:
    """The seed, or of several how many or from which to which."""
    if not row.runs:
        return whole(row.seed)
    of = list(row.by_seed)
    if len(of) > 1 and of[-1] - of[0] == len(of) - 1:
        return f"{of[0]:,}–{of[-1]:,}"
    return "1 seed" if len(of) == 1 else f"{len(of)} seeds"


def date(moment: datetime | None) -> str:
    """Local date and time to the minute."""
    return NOTHING if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"
