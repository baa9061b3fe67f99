"""Runs, their epochs and their predictions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "runs",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("device", sa.String(20), nullable=False),
        sa.Column("device_name", sa.String(200), nullable=False),
        sa.Column("precision", sa.String(8), nullable=False),
        sa.Column("threads", sa.Integer, nullable=False),
        sa.Column("versions", sa.JSON, nullable=False),
        sa.Column("train_seconds", sa.Float),
        sa.Column("total_seconds", sa.Float),
        sa.Column("test_accuracy", sa.Float),
        sa.Column("weights_sha256", sa.String(64)),
        sa.Column("owner_host", sa.String(255), nullable=False),
        sa.Column("owner_pid", sa.Integer, nullable=False),
        sa.Column("owner_started", sa.Float, nullable=False),
    )
    op.create_table(
        "epochs",
        sa.Column(
            "run_id", sa.String(12), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("train_loss", sa.Float, nullable=False),
        sa.Column("val_loss", sa.Float, nullable=False),
        sa.Column("val_accuracy", sa.Float, nullable=False),
        sa.Column("lr", sa.Float, nullable=False),
        sa.Column("images_per_second", sa.Float, nullable=False),
        sa.Column("train_seconds", sa.Float, nullable=False),
    )
    op.create_table(
        "predictions",
        sa.Column(
            "run_id", sa.String(12), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("split", sa.String(10), primary_key=True),
        sa.Column("predicted", sa.LargeBinary, nullable=False),
        sa.Column("labels", sa.LargeBinary, nullable=False),
    )
