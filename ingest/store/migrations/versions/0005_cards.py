"""cards of documents, and what was put right on them"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("card", sa.JSON(), nullable=True))
    op.add_column("documents", sa.Column("corrections", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("documents", "corrections")
    op.drop_column("documents", "card")
