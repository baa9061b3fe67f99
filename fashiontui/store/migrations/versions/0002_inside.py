"""Class probabilities, what networks look like inside, and the studies that runs belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns that older runs leave empty, and a table in which they have no rows."""
    op.add_column("runs", sa.Column("study", sa.Text))
    op.add_column("runs", sa.Column("trial", sa.Integer))
    op.add_column("predictions", sa.Column("probabilities", sa.LargeBinary))
    op.create_table(
        "inside",
        sa.Column(
            "run_id", sa.String(12), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("layers", sa.JSON, nullable=False),
        sa.Column("side", sa.Integer, nullable=False),
        sa.Column("pixels", sa.LargeBinary),
    )
