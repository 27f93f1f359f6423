"""The first requests of deliveries, which leave before the rest of large ones, found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    is_first = sa.text("position = 0")
    op.create_index(
        "ix_batches_first",
        "batches",
        ["tenant_id", "kind", "state", "due_at_ms"],
        sqlite_where=is_first,
        postgresql_where=is_first,
    )
