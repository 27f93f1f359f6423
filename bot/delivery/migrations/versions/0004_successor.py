"""Which delivery took another's place: the one before it sends nothing any more."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("successor_id", sa.String(32)))
