"""Which picture embedder a name stands for."""

from __future__ import annotations

from pathlib import Path

from octavo.retrieval.embedder import Embedder
from octavo.retrieval.late import LateInteraction
from octavo.retrieval.visual import PageEncoder, PictureEmbedder, TextUnderPictures, VisualEmbedder, is_page_encoder

_LATE = "late:"


def picture_embedder(model: str | None, texts: Embedder, device: str = "auto") -> PictureEmbedder:
    """What embeds the pictures of a library whose texts `texts` embeds.

    `model` is "late:" and what LateInteraction takes, a folder of `octavo train-pages`, or what VisualEmbedder takes;
    None: the text under them.
    """
    if model is None:
        return TextUnderPictures(texts)
    if model.startswith(_LATE):
        return LateInteraction(model.removeprefix(_LATE), device)
    return PageEncoder(model, texts, device) if is_page_encoder(Path(model)) else VisualEmbedder(model, device)
