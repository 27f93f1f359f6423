"""When a delivery's words and names were erased: of what was erased before, names were left."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("erased_at_ms", sa.BigInteger))
