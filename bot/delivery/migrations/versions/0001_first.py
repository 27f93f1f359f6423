"""The first tables: deliveries and batches, drafts, what is seen once, and sign-ins."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("form_id", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("due_at_ms", sa.BigInteger, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("drawn_at_ms", sa.BigInteger, nullable=False),
        sa.Column("sealed_place", sa.LargeBinary, nullable=False),
        sa.Column("sealed_request", sa.LargeBinary),
        sa.Column("sealed_call", sa.LargeBinary),
        sa.UniqueConstraint("tenant_id", "user_id", "form_id", name="uq_deliveries_form"),
    )
    op.create_index("ix_deliveries_owner", "deliveries", ["tenant_id", "user_id", "created_at_ms"])
    op.create_index("ix_deliveries_created", "deliveries", ["created_at_ms"])
    op.create_table(
        "batches",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("delivery_id", sa.String(32), sa.ForeignKey("deliveries.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("tenant_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("doubted", sa.Integer, nullable=False),
        sa.Column("insisted", sa.Integer, nullable=False),
        sa.Column("due_at_ms", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("lease_until_ms", sa.BigInteger),
        sa.Column("settled_at_ms", sa.BigInteger),
        sa.Column("problem", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("code", sa.String(128), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("sealed_people", sa.LargeBinary),
        sa.UniqueConstraint("delivery_id", "position", name="uq_batches_position"),
    )
    op.create_index("ix_batches_lane", "batches", ["tenant_id", "kind", "state", "due_at_ms"])
    op.create_index("ix_batches_due", "batches", ["state", "due_at_ms"])
    op.create_index("ix_batches_owner", "batches", ["tenant_id", "user_id", "state"])
    op.create_table(
        "lanes",
        sa.Column("key", sa.String(60), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("tenant_id", sa.String(36)),
        sa.Column("free_at_ms", sa.Double, nullable=False),
    )
    op.create_index("ix_lanes_free", "lanes", ["kind", "free_at_ms"])
    op.create_table(
        "drafts",
        sa.Column("tenant_id", sa.String(36), primary_key=True),
        sa.Column("user_id", sa.String(36), primary_key=True),
        sa.Column("form_id", sa.String(120), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("saved_at_ms", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "once",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("seen_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "token_caches",
        sa.Column("tenant_id", sa.String(36), primary_key=True),
        sa.Column("user_id", sa.String(36), primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sign_ins",
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_sign_ins_expires_at_ms", "sign_ins", ["expires_at_ms"])
