"""domains of documents, chunks that are pictures, and a library's choices"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "choices",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    # Plain ALTER TABLE: a batch would copy these tables, and dropping the old ones cascades to what hangs on them.
    op.add_column("documents", sa.Column("domain", sa.String(), nullable=True))
    op.create_index("ix_documents_domain", "documents", ["domain"])
    op.add_column("chunks", sa.Column("picture", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("chunks", "picture")
    op.drop_index("ix_documents_domain", "documents")
    op.drop_column("documents", "domain")
    op.drop_table("choices")
