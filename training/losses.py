"""`MWLoss`: the Mann-Whitney loss for sentence-transformers. Its sum over pairs is `octavo.kernels.mw_loss`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from octavo.kernels import mw_loss

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class MWLoss(nn.Module):
    def __init__(
        self,
        model: SentenceTransformer,
        scale: float = 20.0,
        similarity_fct: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        r"""Compares every positive of a batch with every negative of it, across queries.

        Of the scores S = scale * cos(anchors, documents) of a batch, those of each anchor with its own positive are the
        positives s_i, and all others, of all anchors, with other anchors' positives and with everyone's hard negatives,
        are the negatives t_j. The loss is the mean over all pairs of them:

        .. math:: L = \frac{1}{PN} \sum_{i} \sum_{j} \log\left(1 + e^{-(s_i - t_j)}\right)

        B rows with n hard negatives each give P = B positives and N = B (B (1 + n) - 1) negatives, so about B^3 pairs;
        they are gone through in blocks and never held at once. The loss over ln 2 bounds 1 - AUC of the batch, the area
        over the ROC curve of one threshold for all queries.

        Args:
            model: SentenceTransformer model
            scale: Output of the similarity function is multiplied by this, the inverse of a temperature
            similarity_fct: similarity function between embeddings, by default cosine similarity. Can also be set to
                dot product (and then set scale to 1)

        Raises:
            ValueError: for a scale that is not above 0; on a forward pass with fewer than two columns.

        References:
            - Optimizing What Matters: AUC-Driven Learning for Robust Neural Retrieval (Sheikholeslami et al.,
              ServiceNow, 2025): https://arxiv.org/abs/2510.00137

        Requirements:
            1. (anchor, positive) pairs, (anchor, positive, negative) triplets, or
               (anchor, positive, negative_1, ..., negative_n) n-tuples
            2. Batches of more than one row, unless there are hard negatives: one row alone has no negative, and a loss
               of 0

        Inputs:
            +-------------------------------------------------+--------+
            | Inputs                                          | Labels |
            +=================================================+========+
            | (anchor, positive) pairs                        | none   |
            +-------------------------------------------------+--------+
            | (anchor, positive, negative) triplets           | none   |
            +-------------------------------------------------+--------+
            | (anchor, positive, negative_1, ..., negative_n) | none   |
            +-------------------------------------------------+--------+

        Recommendations:
            - Use ``BatchSamplers.NO_DUPLICATES``, so that no document is a positive and a negative in one batch.
            - Use this loss where scores of different queries meet one threshold, as when a retriever may find nothing.

        Relations:
            - :class:`MultipleNegativesRankingLoss` takes the softmax of each query over its own documents: the scores
              of one query may all lie above those of another at no cost. Here they may not.
            - :class:`CoSENTLoss` sums over the same kind of pairs inside one logarithm, log(1 + sum(exp)), which the
              worst pairs rule; here each pair counts by itself.

        Example:
            ::

                from datasets import Dataset
                from octavo.training import MWLoss
                from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer

                model = SentenceTransformer("sentence-transformers/all-MiniLM-L6-v2")
                train_dataset = Dataset.from_dict({
                    "anchor": ["It's nice weather outside today.", "He drove to work."],
                    "positive": ["It's so sunny.", "He took the car to the office."],
                })
                trainer = SentenceTransformerTrainer(model=model, train_dataset=train_dataset, loss=MWLoss(model))
                trainer.train()
        """
        from sentence_transformers.util import cos_sim

        super().__init__()
        if not scale > 0:
            raise ValueError(f"the scale must be above 0, not {scale}")
        self.model = model
        self.scale = scale
        self.similarity_fct = similarity_fct or cos_sim

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None = None) -> Tensor:
        from sentence_transformers.base.losses.merged_forward import embed_columns

        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None = None) -> Tensor:
        """The loss of (anchors, positives, negatives ...), each of shape (B, dimensions)."""
        if len(embeddings) < 2:
            raise ValueError(f"this loss needs (anchor, positive) columns at least, not {len(embeddings)}")
        anchors, documents = embeddings[0], torch.cat(embeddings[1:])
        scores: Tensor = self.similarity_fct(anchors, documents) * self.scale
        if scores.numel() == 1:
            return scores.sum() * 0.0
        own = torch.eye(*scores.shape, dtype=torch.bool, device=scores.device)
        return mw_loss(scores[own], scores[~own])

    def get_config_dict(self) -> dict[str, Any]:
        return {"scale": self.scale, "similarity_fct": getattr(self.similarity_fct, "__name__", "custom")}

    @property
    def temperature(self) -> float:
        return 1.0 / self.scale

    @property
    def citation(self) -> str:
        return """
@misc{sheikholeslami2025optimizing,
      title={Optimizing What Matters: AUC-Driven Learning for Robust Neural Retrieval},
      author={Nima Sheikholeslami and Erfan Hosseini and Patrice Bechard and Srivatsava Daruru and Sai Rajeswar},
      year={2025},
      eprint={2510.00137},
      archivePrefix={arXiv},
      url={https://arxiv.org/abs/2510.00137},
}
"""
