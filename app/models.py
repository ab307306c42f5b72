"""Models that a library keeps for itself: copies of the folders that it was told to use."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from octavo.retrieval.embedder import EMBEDDED, ModelMissingError, model_digest, model_files


class ModelShelf:
    """Copies of models in `folder`, each named by what it is, so that a library does not hang on where it got one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, model: str) -> str:
        """The name that `resolve` knows `model` by: a folder is copied in, other names stay what they are.

        Raises OSError, also when the copy is not what it was made from.
        """
        source = Path(model)
        if model == EMBEDDED or not source.is_dir():
            return model
        digest = model_digest(source)
        kept = self.folder / digest[:12]
        if not kept.is_dir():
            self.folder.mkdir(exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=self.folder, suffix=".part"))
            for path in model_files(source):
                (fresh / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / path, fresh / path)
            if model_digest(fresh) != digest:
                raise OSError(f"{model} changed while it was copied")
            fresh.replace(kept)
        return f"{self.folder.name}/{kept.name}"

    def resolve(self, name: str) -> str:
        """What a SentenceEmbedder is given for a name that `keep` gave. Raises ModelMissingError for a lost copy."""
        if not name.startswith(f"{self.folder.name}/"):
            return name
        kept = self.folder.parent / name
        if not kept.is_dir():
            raise ModelMissingError(f"the library's model {kept} is gone: `octavo index --model` names another")
        return str(kept)

    def keep_only(self, names: Collection[str | None]) -> None:
        """Removes all copies but those of `names`, also what a killed copying left."""
        for path in self.folder.glob("*"):
            if f"{self.folder.name}/{path.name}" not in names:
                shutil.rmtree(path, ignore_errors=True)
