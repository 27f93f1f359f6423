"""Recipients apart from their batches, which are written again at each of their steps."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "recipients",
        sa.Column("delivery_id", sa.String(32), sa.ForeignKey("deliveries.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("sealed_people", sa.LargeBinary, nullable=False),
    )
    op.execute(
        "INSERT INTO recipients (delivery_id, position, sealed_people) "
        "SELECT delivery_id, position, sealed_people FROM batches WHERE sealed_people IS NOT NULL"
    )
    # Where it stayed empty instead, a replica of the version before would send to nobody.
    op.drop_column("batches", "sealed_people")
