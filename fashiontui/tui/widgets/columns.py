"""The leaderboard's columns: what each shows and how it sorts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from rich.text import Text

from fashiontui.domain.board import BoardRow
from fashiontui.domain.events import Status
from fashiontui.domain.shapes import family_named
from fashiontui.tui import text

STATUS_GLYPHS = {
    Status.RUNNING: "▶ training",
    Status.FINISHED: "✓ finished",
    Status.STOPPED: "■ stopped",
    Status.FAILED: "✗ failed",
    Status.INTERRUPTED: "! interrupted",
    None: "┄ report",
}
"""A glyph and a word for each state, so that none is told by colour alone."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Column:
    """One column of the board."""

    key: str
    title: str
    show: Callable[[BoardRow], str]
    sort: Callable[[BoardRow], float | str]
    """What to sort by; rows without a value sort as the least."""
    justify: Literal["left", "right"] = "right"
    best_first: bool = False
    """Whether the first click sorts descending."""


def _state(row: BoardRow) -> str:
    """Glyph and word, of a study's trial its number in place of the word."""
    shown = STATUS_GLYPHS[row.status]
    return shown if row.trial is None else f"{shown[0]} trial {row.trial}"


def _least(value: float | None) -> float:
    return float("-inf") if value is None else value


COLUMNS: tuple[Column, ...] = (
    Column("model", "model", lambda r: r.title, lambda r: r.title, "left"),
    Column("val", "val % ±sd", text.val_accuracy,
           lambda r: _least(r.val_accuracy), best_first=True),
    Column("test", "test % ±95", text.test_accuracy,
           lambda r: _least(r.test_accuracy), best_first=True),
    Column("weights", "weights", lambda r: text.whole(r.weights), lambda r: r.weights),
    Column("time", "time", lambda r: text.clock(r.train_seconds),
           lambda r: _least(r.train_seconds)),
    Column("speed", "img/s", lambda r: text.whole(r.images_per_second),
           lambda r: _least(r.images_per_second), best_first=True),
    Column("status", "status", _state, _state, "left"),
    Column("recipe", "recipe", lambda r: r.recipe, lambda r: r.recipe, "left"),
    Column("epochs", "epochs", lambda r: text.whole(r.epochs), lambda r: r.epochs),
    Column("seed", "seed", text.seeds, lambda r: _least((r.runs or (r,))[0].seed)),
    Column("budget", "budget", lambda r: text.whole(r.budget), lambda r: _least(r.budget)),
    Column("family", "family", lambda r: family_named(r.arch).title, lambda r: r.arch, "left"),
    Column("shape", "shape", lambda r: r.shape, lambda r: r.shape, "left"),
    Column("data", "data", lambda r: r.dataset, lambda r: r.dataset, "left"),
    Column("device", "device", lambda r: r.device, lambda r: r.device, "left"),
    Column("date", "date", lambda r: text.date(r.created),
           lambda r: (r.created or EARLIEST).timestamp(), best_first=True),
)  # fmt: skip
"""What a narrow terminal must show comes first."""
KEYS = ("rank", "mark", *(column.key for column in COLUMNS))
"""Of the table's columns: two stand before those one can sort by."""


def headers(sorted_by: int, descending: bool) -> list[Text]:
    """Titles of the table's columns, with an arrow at the one it is sorted by."""
    arrows = [" "] * len(COLUMNS)
    arrows[sorted_by] = "▼" if descending else "▲"
    return [
        Text("#", justify="right"),
        Text(" ", justify="right"),
        *(
            Text(f"{column.title}{arrow}", justify=column.justify)
            for column, arrow in zip(COLUMNS, arrows, strict=True)
        ),
    ]


def cells(row: BoardRow, rank: str, marks: str, title: str) -> list[Text]:
    """A row of the table; the report's are slanted.

    Args:
        row: What is shown.
        rank: For the first column.
        marks: For the second.
        title: For the third; the others show the row itself.
    """
    style = "italic" if row.is_report else ""
    model, *others = COLUMNS
    return [
        Text(rank, justify="right"),
        Text(marks, style="bold"),
        Text(title, style, justify=model.justify),
        *(Text(column.show(row), style, justify=column.justify) for column in others),
    ]
