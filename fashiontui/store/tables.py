"""The tables of the store, as the newest migration leaves them (a test compares the two)."""

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


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets time zones, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Mark what came back as UTC where the database did not."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("created", UtcDateTime, nullable=False, index=True),
    Column("status", String(12), nullable=False),
    Column("cause", Text),
    Column("spec", JSON, nullable=False),
    Column("device", String(20), nullable=False),
    Column("device_name", String(200), nullable=False),
    Column("precision", String(8), nullable=False),
    Column("threads", Integer, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("train_seconds", Float),
    Column("total_seconds", Float),
    Column("test_accuracy", Float),
    Column("weights_sha256", String(64)),
    # The process that trains it; when that is gone and the run is not over, it was interrupted.
    Column("owner_host", String(255), nullable=False),
    Column("owner_pid", Integer, nullable=False),
    Column("owner_started", Float, nullable=False),
)

epochs = Table(
    "epochs",
    metadata,
    Column("run_id", String(12), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
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
    Column("run_id", String(12), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("split", String(10), primary_key=True),
    Column("predicted", LargeBinary, nullable=False),
    Column("labels", LargeBinary, nullable=False),
)
