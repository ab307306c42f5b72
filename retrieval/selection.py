"""Which of the hits to keep: the adaptive rules of MMed-RAG (Xia et al., ICLR 2025, arXiv 2410.13085), or calibrated.

A fixed k brings noise when few hits fit, and loses evidence when many do; a fall of the scores tells where it ends.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

from octavo.ingest.text import count
from octavo.retrieval.model import Hit, Rule, Selection


def select_gap(scores: Sequence[float], gamma: float) -> int:
    """How many to keep of `scores` (descending): those up to the first i with log(S_i / S_{i+1}) > gamma.

    MMed-RAG, section 3.2, adaptive retrieved context selection. A score that is not positive ends them: its logarithm
    has no value. Raises ValueError for a negative `gamma`, or scores that rise.
    """
    _check(scores)
    if gamma < 0:
        raise ValueError(f"gamma must not be negative: {gamma}")
    if scores and scores[0] <= 0:
        return 0
    for kept, (this, following) in enumerate(itertools.pairwise(scores), 1):
        if following <= 0 or math.log(this / following) > gamma:
            return kept
    return len(scores)


def select_ratio(scores: Sequence[float], threshold: float, limit: int) -> int:
    """How many to keep of `scores` (descending): those with S_1 / S_i < threshold, at most `limit`.

    The rule of the code that MMed-RAG's authors released. A score that is not positive ends them. Raises ValueError for
    a negative `limit`, or scores that rise.
    """
    _check(scores)
    if limit < 0:
        raise ValueError(f"limit must not be negative: {limit}")
    too_far = (n for n, score in enumerate(scores) if score <= 0 or scores[0] / score >= threshold)
    return min(next(too_far, len(scores)), limit)


def choose(hits: Sequence[Hit], rule: Rule, *, gamma: float, threshold: float, limit: int) -> Selection:
    """The hits (best first) that `rule` keeps, and those it drops with the reason for each."""
    hits = sorted(hits, key=lambda hit: -hit.score)  # anyone's retriever may have another order
    scores = [hit.score for hit in hits]
    match rule:
        case Rule.ALL:
            return Selection(tuple(hits))
        case Rule.GAP:
            kept = select_gap(scores, gamma)
            reasons = [_after_gap(scores, kept, gamma)] * (len(hits) - kept)
            rules = f"gap rule, gamma {gamma:g}"
        case Rule.RATIO:
            kept = select_ratio(scores, threshold, limit)
            reasons = [_too_far(scores[0], score, threshold, limit) for score in scores[kept:]]
            rules = f"ratio rule, threshold {threshold:g}, at most {limit}"
        case Rule.CALIBRATED:
            raise ValueError("what is calibrated is chosen by its probabilities: choose_evidence")
    note = f"{kept} of {count(len(hits), 'hit')} kept by the {rules}"
    return Selection(tuple(hits[:kept]), tuple(zip(hits[kept:], reasons, strict=True)), (note,))


def choose_evidence(
    hits: Sequence[Hit], probabilities: Sequence[float], least: float, lose: float, domain: str = ""
) -> Selection:
    """The hits that are evidence with a probability of `least` or more, in their order; dropped, the likeliest first.

    `least` is the cut of a calibration that promises to lose the evidence of at most `lose` of the questions, in
    `domain` if it is one's own.
    """
    pairs = list(zip(hits, probabilities, strict=True))
    why = "evidence: probability {:.3g}"
    kept = [replace(hit, why=(*hit.why, why.format(likely))) for hit, likely in pairs if likely >= least]
    below = sorted((pair for pair in pairs if pair[1] < least), key=lambda pair: -pair[1])
    dropped = [(hit, f"{why.format(likely)}; kept from {least:.3g} on") for hit, likely in below]
    rule = f"calibrated rule, probability {least:.3g}{f' in the domain {domain}' if domain else ''}"
    promise = f"loses the evidence of at most {lose:.1%} of questions"
    return Selection(
        tuple(kept), tuple(dropped), (f"{len(kept)} of {count(len(hits), 'hit')} kept by the {rule}: {promise}",)
    )


def _after_gap(scores: Sequence[float], kept: int, gamma: float) -> str:
    if kept >= len(scores):
        return ""
    if not kept:
        return "no score is positive"
    best, following = scores[kept - 1], scores[kept]
    fall = f"log ratio {math.log(best / following):.2f}" if following > 0 else "no longer positive"
    return f"after the gap below hit {kept}: {best:.4f} to {following:.4f}, {fall} over gamma {gamma:g}"


def _too_far(best: float, score: float, threshold: float, limit: int) -> str:
    if score > 0 and best / score < threshold:
        return f"beyond the {limit} that are kept at most"
    if best <= 0:
        return "no score is positive"
    ratio = f"{best / score:.2f} times this score" if score > 0 else "positive, this score is not"
    return f"the best is {ratio}; below {threshold:g} is kept"


def _check(scores: Sequence[float]) -> None:
    if any(later > earlier for earlier, later in itertools.pairwise(scores)):
        raise ValueError("the scores must be in descending order")
