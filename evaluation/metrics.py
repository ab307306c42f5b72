"""Page metrics of one ranking: precision, recall, nDCG and reciprocal rank, as UniDoc-Bench counts them.

Knows nothing of libraries or questions. What a ranking is made of, an item, is anything that covers pages: a chunk, a
figure, a page. nDCG and reciprocal rank are those of ir-measures (trec_eval's).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, get_args

Page = tuple[str, int]
"""A document's name and a page of it, counted from 1."""

NdcgMode = Literal["standard", "unidoc"]
NDCG_MODES: tuple[NdcgMode, ...] = get_args(NdcgMode)


def page_metrics(
    retrieved: Sequence[Iterable[Page]], evidence: Collection[Page], k: int = 10, mode: NdcgMode = "standard"
) -> dict[str, float]:
    """`precision`, `recall`, `ndcg` and `mrr` of the first `k` items of a ranking, each in [0, 1].

    `retrieved` has the pages that each item covers, best item first; `evidence` the pages that hold the answer.

    precision: share of the retrieved items that cover a page of evidence; of those there are, when fewer than `k` are.
    recall: share of the pages of evidence that some item covers.
    ndcg: an item gains 1 if it covers a page of evidence that no item before it covers (1 also for several such pages),
    discounted by log2(rank + 1) and divided by the most that could be had. With `mode="standard"` that is
    min(k, number of pages of evidence) gains at the top. With `mode="unidoc"` it is the gains that were in fact had,
    moved to the top, as the benchmark's released code does: evidence that was missed is not punished.
    mrr: 1 / rank of the first item on a page of evidence, 0 if there is none; its mean over questions is the MRR.

    Nothing retrieved scores 0 throughout. Raises ValueError for empty evidence, k < 1 or another mode.
    Sources: Peng et al., UniDoc-Bench, arXiv 2510.03663, 2025; Järvelin and Kekäläinen, ACM TOIS 20 (4), 2002.
    """
    if k < 1:
        raise ValueError(f"k is {k}, but at least one item must count")
    if mode not in NDCG_MODES:
        raise ValueError(f"no mode {mode!r} of nDCG: it is one of {', '.join(NDCG_MODES)}")
    wanted = set(evidence)
    if not wanted:
        raise ValueError("without evidence there is nothing to find")
    items = [wanted.intersection(pages) for pages in retrieved[:k]]
    if not items:
        return {"precision": 0.0, "recall": 0.0, "ndcg": 0.0, "mrr": 0.0}
    ndcg, mrr = _ranked(_firsts(items), wanted, k, mode)
    return {
        "precision": sum(map(bool, items)) / len(items),
        "recall": len(set().union(*items)) / len(wanted),
        "ndcg": ndcg,
        "mrr": mrr,
    }


def recall_curve(retrieved: Sequence[Iterable[Page]], evidence: Collection[Page], k: int) -> list[float]:
    """The share of the pages of evidence that the first 1, 2, ... `k` items cover; `evidence` must not be empty."""
    missing = set(evidence)
    curve = []
    for pages in [*retrieved[:k], *[()] * (k - len(retrieved))]:
        missing.difference_update(pages)
        curve.append(1 - len(missing) / len(set(evidence)))
    return curve


def distinct_pages(retrieved: Sequence[Iterable[Page]]) -> list[list[Page]]:
    """A ranking of pages: each page once, where its first item stands."""
    return [[page] for page in dict.fromkeys(page for pages in retrieved for page in sorted(set(pages)))]


def _firsts(items: Sequence[set[Page]]) -> list[Page | None]:
    """For each item a page of evidence that it is the first to cover, or None."""
    seen: set[Page] = set()
    firsts = []
    for pages in items:
        firsts.append(min(pages - seen, default=None))
        seen |= pages
    return firsts


def _ranked(firsts: Sequence[Page | None], evidence: Collection[Page], k: int, mode: NdcgMode) -> tuple[float, float]:
    """nDCG at `k` and reciprocal rank, by ir-measures over a run whose documents are the pages first covered."""
    from ir_measures import RR, calc_aggregate, nDCG  # only those who measure pay for loading it

    found = [page for page in firsts if page]
    if not found:
        return 0.0, 0.0
    # The ideal ranking is made of what is judged relevant: all evidence, or in the benchmark's way what was found.
    judged = {_key(page): 1 for page in (evidence if mode == "standard" else found)}
    run = {_key(page) if page else f"miss {rank}": -rank for rank, page in enumerate(firsts)}
    scores = calc_aggregate([nDCG @ k, RR], {"q": judged}, {"q": run})
    return float(scores[nDCG @ k]), float(scores[RR])


def _key(page: Page) -> str:
    return f"page {page[1]} of {page[0]}"
