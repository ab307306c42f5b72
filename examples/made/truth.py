"""What has been drawn, element by element, and how the elements hang together: written down while they are drawn.

Pages count from 1. Boxes are PDF points (1/72 inch) from the top left corner of the displayed page, (x0, y0, x1, y1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Box = tuple[float, float, float, float]
Key = tuple[str, str]
"""What a mention may name: ("object", "table-2"), ("heading", "Appendix B"), ("note", "3"), ("page", "4")."""

AROUND = ("header", "footer")


@dataclass
class Truth:
    """The ledger of one document; ids are "e1", "e2", ... in the order of drawing, which is the reading order."""

    elements: list[dict[str, Any]] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    keys: dict[Key, str] = field(default_factory=dict)
    mentions: list[tuple[str, Key]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)  # footnotes that wait for the foot of the page
    noted: list[Any] = field(default_factory=list)  # those that have been asked for

    def add(self, kind: str, page: int, bbox: Box, text: str, *, under: bool = True, **more: Any) -> str:
        """The id of a new element, which stands `under` the heading drawn last."""
        name = f"e{len(self.elements) + 1}"
        box = [round(edge, 1) for edge in bbox]
        self.elements.append({"id": name, "type": kind, "page": page, "bbox": box, "text": text, **more})
        if kind == "heading":
            level = more["level"]
            self.headings = [entry for entry in self.headings if entry[0] < level]
        if under and self.headings:
            self.link(name, self.headings[-1][1], "under-heading")
        if kind == "heading":
            self.headings.append((more["level"], name))
        return name

    def link(self, source: str, target: str, kind: str) -> None:
        self.links.append((source, target, kind))

    def page_of(self, key: Key) -> int:
        """The page of what bears the key; 1 while nothing is drawn yet."""
        return next((int(e["page"]) for e in self.elements if e["id"] == self.keys.get(key)), 1)

    def first_on(self, page: int) -> str | None:
        """The first element of a page that is neither running header nor sidebar."""
        on_page = (e for e in self.elements if e["page"] == page and e["type"] not in AROUND and not e.get("aside"))
        return next((e["id"] for e in on_page), None)

    def as_json(self) -> dict[str, Any]:
        """Elements and links, each mention with what it names."""
        for source, key in self.mentions:
            target = self.first_on(int(key[1])) if key[0] == "page" else self.keys.get(key)
            if target and target != source:
                self.link(source, target, "mention-of")
        known = {name: n for n, name in enumerate(e["id"] for e in self.elements)}
        unique = sorted(set(self.links), key=lambda link: (known[link[0]], known[link[1]], link[2]))
        return {
            "elements": self.elements,
            "links": [{"source": s, "target": t, "type": kind} for s, t, kind in unique],
        }
