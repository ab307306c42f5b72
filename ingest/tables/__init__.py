"""Tables: found on a sheet, and what their grids say. Knows nothing of any PDF library."""

from octavo.ingest.tables.find import find_tables
from octavo.ingest.tables.values import (
    Cell,
    Word,
    column_names,
    grid,
    is_value,
    key_columns,
    label_columns,
    values,
)

__all__ = [
    "Cell",
    "Word",
    "column_names",
    "find_tables",
    "grid",
    "is_value",
    "key_columns",
    "label_columns",
    "values",
]
