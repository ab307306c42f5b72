"""The words that a file holds for a page beside those that show: hidden ones out, garbled or missing ones by OCR."""
