"""Array programs, each with what it is checked against. They know nothing of documents."""

from octavo.kernels.mw_loss import mw_loss

__all__ = ["mw_loss"]
