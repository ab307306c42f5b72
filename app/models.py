"""Models that a library keeps for itself: copies of the folders that it was told to use."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from octavo.retrieval.embedder import weights_digest

_LEFT_OUT = shutil.ignore_patterns("checkpoints", "report.*", "*.png", "*.jsonl", "*.bin", "*.pt", "*.pth", "*.pkl")


class ModelShelf:
    """Copies of models in `folder`, each named by its weights, so that a library does not hang on where it got one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, model: str) -> str:
        """The name that `resolve` knows `model` by: a folder is copied in, a hub's name stays what it is."""
        source = Path(model)
        if not source.is_dir():
            return model
        name = weights_digest(source)[:12]
        if not (self.folder / name).is_dir():
            self.folder.mkdir(exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=self.folder, suffix=".part"))
            shutil.copytree(source, fresh, ignore=_LEFT_OUT, dirs_exist_ok=True)
            fresh.replace(self.folder / name)
        return f"{self.folder.name}/{name}"

    def resolve(self, name: str) -> str:
        """What a SentenceEmbedder is given for a name that `keep` gave."""
        kept = self.folder.parent / name
        return str(kept) if name.startswith(f"{self.folder.name}/") and kept.is_dir() else name

    def keep_only(self, name: str | None) -> None:
        """Removes all copies but that of `name`, also what a killed copying left."""
        for path in self.folder.glob("*"):
            if f"{self.folder.name}/{path.name}" != name:
                shutil.rmtree(path, ignore_errors=True)
