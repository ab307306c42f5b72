"""The first reader: PyMuPDF and its layout models."""
