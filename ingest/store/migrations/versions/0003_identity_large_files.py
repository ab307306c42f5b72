"""a catalogue's identity, and files over 2 GiB, whose sizes SQLite's integers hold as they are"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.text("INSERT INTO choices (name, value) VALUES ('identity', :own)").bindparams(own=uuid4().hex))
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("documents", "size", type_=sa.BigInteger(), existing_nullable=False)


def downgrade() -> None:
    op.execute("DELETE FROM choices WHERE name = 'identity'")
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("documents", "size", type_=sa.Integer(), existing_nullable=False)
