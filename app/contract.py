"""What `--json` prints: the command line's stable contract, and how the catalogue keeps answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from octavo.generation.model import Answer, Citation
from octavo.ingest.links import JoinedTable, joined_tables
from octavo.ingest.model import Box, Element, ParsedDocument
from octavo.ingest.pipeline import IngestReport
from octavo.ingest.store.catalogue import DocumentInfo, Gone
from octavo.retrieval.model import Hit, Selection

if TYPE_CHECKING:
    from octavo.holdings import Deleted

Json = dict[str, Any]


def box(bbox: Box) -> list[float]:
    """A box in points, to the hundredth."""
    return [round(value, 2) for value in bbox]


def parsed(document: ParsedDocument) -> Json:
    return {
        "pages": len(document.pages),
        "title": document.title,
        "elements": [element(e) for e in document.elements],
        "links": [asdict(link) for link in document.links],
        "continued_tables": [joined(t) for t in joined_tables(document.elements, document.links) if len(t.parts) > 1],
        "warnings": list(document.warnings),
    }


def joined(table: JoinedTable) -> Json:
    """A table over several pages or columns as one: its parts, where each stands, and all rows under one header."""
    return {
        "parts": [part.id for part in table.parts],
        "boxes": [{"page": page, "bbox": box(bbox)} for page, bbox in table.boxes],
        "rows": [list(row) for row in table.table.rows],
    }


def element(element: Element) -> Json:
    table = element.table
    return {
        "id": element.id,
        "type": element.type,
        "page": element.page,
        "bbox": box(element.bbox),
        "text": element.text,
        "rows": [list(row) for row in table.rows] if table else None,
        "spans": [asdict(span) for span in table.spans] if table else None,
        "image": element.image,
    }


def document(info: DocumentInfo) -> Json:
    return {
        "name": info.name,
        "names": list(info.names),
        "sha256": info.sha256 or None,
        "state": info.state,
        "pages": info.pages,
        "elements": info.elements,
        "chunks": info.chunks,
        "error": info.error,
        "title": info.title,
        "card": asdict(info.card) | {"corrected": list(info.corrected)} if info.card else None,
        "warnings": list(info.warnings),
    }


def deleted(done: Deleted) -> Json:
    """Either a whole document is `deleted`, or a name went (`unnamed`) and the document is `kept` under the others."""
    if done.kept:
        return {"deleted": None, "unnamed": done.names[0], "kept": document(done.kept)}
    return {"deleted": document(done.document), "unnamed": None, "kept": None}


def report(report: IngestReport) -> Json:
    return {
        "documents": [document(i) | {"unchanged": i.sha256 in report.unchanged} for i in report.documents],
        "replaced": report.replaced,
        "removed": report.removed,
        "unnamed": [
            {"name": name, "document": left or None, "sha256": sha256} for name, left, sha256 in report.unnamed
        ],
        "problems": report.problems,
        "pages_read": report.pages,
        "seconds": round(report.seconds, 3),
    }


def hit(hit: Hit) -> Json:
    return {
        "document": hit.document,
        "sha256": hit.sha256,
        "page": hit.page,
        "bbox": box(hit.bbox),
        "type": hit.chunk.type,
        "score": round(hit.score, 6),
        "text": hit.chunk.text,
        "chunk": hit.chunk.id,
        "why": list(hit.why),
        "brought": asdict(hit.brought) if hit.brought else None,
    }


def selection(selection: Selection) -> Json:
    return {
        "kept": [hit(h) for h in selection.kept],
        "dropped": [hit(h) | {"reason": reason} for h, reason in selection.dropped],
        "notes": list(selection.notes),
        "looked": [asdict(looked) | {"probability": round(looked.probability, 3)} for looked in selection.looked],
    }


def citation(citation: Citation) -> Json:
    return asdict(citation) | {"bbox": box(citation.bbox)}


def answer(answer: Answer) -> Json:
    return {
        "answer": answer.text,
        "citations": [citation(c) for c in answer.citations],
        "generator": answer.generator,
        "unsupported": list(answer.unsupported),
        "notes": list(answer.notes),
        "selection": selection(answer.selection),
        "timings": {stage: round(seconds, 3) for stage, seconds in answer.timings.items()},
    }


def redacted(answer: Json, gone: Gone) -> Json:
    """A kept answer without what it quotes of a document that is deleted; the same object where that is nothing.

    The SHA-256 tells whose a hit is. Answers kept before hits had one are told by chunk, or by name.
    """

    def quotes(hit: Any) -> bool:
        if not isinstance(hit, dict):
            return False
        if "sha256" in hit:
            return bool(hit["sha256"] == gone.sha256)
        return hit["document"] in gone.names or hit["chunk"] in gone.chunks

    selection, citations = answer.get("selection", {}), answer.get("citations", ())
    cited = any(c["sha256"] == gone.sha256 for c in citations)
    if not cited and not any(quotes(hit) for hits in selection.values() for hit in hits):
        return answer
    return answer | {
        "selection": {name: [hit for hit in hits if not quotes(hit)] for name, hits in selection.items()},
        "citations": [c | {"text": ""} if c["sha256"] == gone.sha256 else c for c in citations],
    }
