"""names of documents, of which one may have several"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "names",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("document_id", "name", "source"):
        op.create_index(f"ix_names_{column}", "names", [column])
    op.execute("INSERT INTO names (document_id, name, source) SELECT id, name, source FROM documents ORDER BY id")
    for column in ("name", "source"):
        op.drop_index(f"ix_documents_{column}", "documents")
        op.drop_column("documents", column)


def downgrade() -> None:
    op.add_column("documents", sa.Column("name", sa.String(), nullable=False, server_default=""))
    op.add_column("documents", sa.Column("source", sa.String(), nullable=True))
    for column in ("name", "source"):
        first = f"(SELECT {column} FROM names WHERE document_id = documents.id ORDER BY id LIMIT 1)"  # noqa: S608
        op.execute(f"UPDATE documents SET {column} = {first}")  # noqa: S608
        op.create_index(f"ix_documents_{column}", "documents", [column])
    op.drop_table("names")
