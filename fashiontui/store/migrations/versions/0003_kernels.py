"""Which kernels computed a run's convolutions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add a column that older runs leave empty: a rule chose for them, by the processor."""
    op.add_column("runs", sa.Column("kernels", sa.String(8)))
