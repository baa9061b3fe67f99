"""What a run came to, in its own row: listings need not look through all epochs of all runs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns, and fill them for the runs that are over."""
    op.add_column("runs", sa.Column("trained_epochs", sa.Integer))
    op.add_column("runs", sa.Column("val_accuracy", sa.Float))
    op.add_column("runs", sa.Column("images_per_second", sa.Float))
    runs = sa.table(
        "runs",
        *map(sa.column, ("id", "status", "trained_epochs", "val_accuracy", "images_per_second")),
    )
    epochs = sa.table(
        "epochs", *map(sa.column, ("run_id", "epoch", "val_accuracy", "images_per_second"))
    )
    of_run = epochs.c.run_id == runs.c.id
    done = sa.select(sa.func.coalesce(sa.func.max(epochs.c.epoch), 0)).where(of_run)
    last = sa.select(epochs.c.val_accuracy).where(of_run).order_by(epochs.c.epoch.desc()).limit(1)
    seconds_an_image = sa.func.avg(1 / sa.func.nullif(epochs.c.images_per_second, 0))
    pace = sa.select(1 / sa.func.nullif(seconds_an_image, 0)).where(of_run)
    op.execute(
        sa.update(runs)
        .where(runs.c.status.in_(("finished", "stopped", "failed")))
        .values(
            trained_epochs=done.scalar_subquery(),
            val_accuracy=last.scalar_subquery(),
            images_per_second=pace.scalar_subquery(),
        )
    )
