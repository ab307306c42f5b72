"""Tables: found on a sheet, and what their grids say. Knows nothing of any PDF library."""

from octavo.ingest.tables.find import find_tables
from octavo.ingest.tables.values import (
    Cell,
    column_names,
    goes_on_unnamed,
    header_rows,
    is_value,
    key_columns,
    label_columns,
    repeated_columns,
    values,
)

__all__ = [
    "Cell",
    "column_names",
    "find_tables",
    "goes_on_unnamed",
    "header_rows",
    "is_value",
    "key_columns",
    "label_columns",
    "repeated_columns",
    "values",
]
