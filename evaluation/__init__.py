"""How retrieval and answers are scored: questions with known evidence, metrics, the protocol, reports."""

from octavo.evaluation.metrics import page_metrics

__all__ = ["page_metrics"]
