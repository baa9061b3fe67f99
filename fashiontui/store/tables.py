"""The tables of the store, as the newest migration leaves them (a test compares the two)."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

from fashiontui.domain.text import printable

_YEARS = range(1970, 2200)
"""Others have no local time on some machines."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: SQLite forgets time zones, PostgreSQL answers in the session's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn it into UTC, for the databases that keep the clock's figures alone."""
        return value.astimezone(UTC) if value else value

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[object], datetime | None]:
        """Read it as UTC; None for what is no moment of use, so that the run is named for it.

        SQLite has a text, which Python reads in a third of the time that SQLAlchemy takes.
        """

        def process(value: object) -> datetime | None:
            try:
                moment = datetime.fromisoformat(value) if isinstance(value, str) else value
                if not isinstance(moment, datetime) or moment.year not in _YEARS:
                    return None
                if moment.tzinfo:
                    return moment.astimezone(UTC)
                return datetime.combine(moment, moment.time(), UTC)  # replace() takes fourfold
            except (ValueError, OverflowError):
                return None

        return process


class Shown(TypeDecorator[str]):
    """A text that can be shown as it is, whoever wrote it, and that every database can keep.

    PostgreSQL knows neither NUL nor half surrogates; terminals know too much.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write out what would be obeyed."""
        return printable(value) if isinstance(value, str) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The same, for what was not written by this program."""
        return printable(value) if isinstance(value, str) else value


class ShownText(Shown):
    """The same for texts of any length."""

    impl = Text
    cache_ok = True


MOST_DEVICE_NAME = 200
"""Characters of a device's name that are kept."""

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", Shown(12), primary_key=True),
    Column("created", UtcDateTime, nullable=False, index=True),
    Column("status", Shown(12), nullable=False),
    Column("cause", ShownText),
    Column("spec", JSON, nullable=False),
    Column("device", Shown(20), nullable=False),
    Column("device_name", Shown(MOST_DEVICE_NAME), nullable=False),
    Column("precision", Shown(8), nullable=False),
    Column("threads", Integer, nullable=False),
    Column("kernels", Shown(8)),
    Column("versions", JSON, nullable=False),
    Column("train_seconds", Float),
    Column("total_seconds", Float),
    Column("test_accuracy", Float),
    Column("weights_sha256", Shown(64)),
    Column("study", ShownText),
    Column("trial", Integer),
    # What its epochs come to, once it is over: listings would look through those of all runs.
    Column("trained_epochs", Integer),
    Column("val_accuracy", Float),
    Column("images_per_second", Float),
    # The process that trains it; when that is gone and the run is not over, it was interrupted.
    Column("owner_host", Shown(255), nullable=False),
    Column("owner_pid", Integer, nullable=False),
    Column("owner_started", Float, nullable=False),
)

epochs = Table(
    "epochs",
    metadata,
    Column("run_id", Shown(12), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("train_loss", Float, nullable=False),
    Column("val_loss", Float, nullable=False),
    Column("val_accuracy", Float, nullable=False),
    Column("lr", Float, nullable=False),
    Column("images_per_second", Float, nullable=False),
    Column("train_seconds", Float, nullable=False),
)

predictions = Table(
    "predictions",
    metadata,
    Column("run_id", Shown(12), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("split", Shown(10), primary_key=True),
    Column("predicted", LargeBinary, nullable=False),
    Column("labels", LargeBinary, nullable=False),
    Column("probabilities", LargeBinary),  # packed, as ``store/packing.py`` does it
)

inside = Table(
    "inside",
    metadata,
    Column("run_id", Shown(12), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("layers", JSON, nullable=False),
    Column("side", Integer, nullable=False),
    Column("pixels", LargeBinary),  # packed; only of some epochs of a long run
)
