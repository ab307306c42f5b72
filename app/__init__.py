"""Octavo: questions over PDFs, answered from their text, tables and figures, with the boxes they came from."""
