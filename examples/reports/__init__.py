"""The sample reports, one module each: data, charts, words, questions."""
