"""Files that outlive a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def flush(*paths: Path) -> None:
    """Has files, and the names in folders, written to the disk, so that no rename after it shows what is not there."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
