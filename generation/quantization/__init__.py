"""Weight-only quantization of decoders to 3 or 4 bits: rounding (RTN), AWQ and MBQ. Knows nothing of documents."""
