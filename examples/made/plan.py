"""What a made report holds, in its order: headings, paragraphs, tables and figures, and the sentences that name them.

Knows nothing of type or pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from .looks import Look
from .truth import Key
from .words import DOMAINS, Writer

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


@dataclass
class Head:
    """A heading; `key` is what a mention may call it by."""

    text: str
    level: int
    key: Key | None = None


@dataclass
class Para:
    """Running text or an item of a list; `mentions` are words in it and what they name."""

    sentences: list[str]
    kind: str = "text"
    mentions: list[tuple[str, tuple[Key, ...]]] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)  # words before the mark, number, note


@dataclass
class Thing:
    """A table or figure; `shape` is "small", "long", "wide", "pair" (the next one stands beside it).

    `label` as its caption has it, `spoken` as sentences have it; "" for one without a caption.
    """

    kind: str
    shape: str = "small"
    captioned: bool = True
    label: str = ""
    spoken: str = ""
    key: Key = ("object", "")


Item = Head | Para | Thing


class Planner:
    """Plans one report; all choices come from `random`."""

    def __init__(self, domain: str, look: Look, random: Random) -> None:
        self.look, self.random = look, random
        self.domain = DOMAINS[domain]
        self.writer = Writer(self.domain, random)
        self.plan: list[Item] = []

    def made(self) -> list[Item]:
        """The whole plan."""
        self._contents()
        self._label()
        self._mention()
        return self.plan

    def _contents(self) -> None:
        draw, look = self.random, self.look
        things = [
            Thing("table"),
            Thing("table", "long"),
            Thing("figure"),
            Thing("figure", "pair"),
            Thing(draw.choice(("table", "table", "figure")), captioned=False),
            Thing(draw.choice(("figure", "table"))),
        ]
        draw.shuffle(things)
        sections = draw.sample(self.domain.sections, 3)
        places = sorted(draw.randrange(6) for _ in things)
        for s, title in enumerate(sections):
            self.plan.append(Head(title, 2))
            self.plan.append(Para(self.writer.paragraph(draw.randint(3, 5))))
            for u in range(2):
                measure = draw.choice(self.domain.measures)
                self.plan.append(Head(f"{measure.capitalize()} in {draw.choice(self.domain.places)}", 3))
                if u and draw.random() < 0.5:
                    self.plan.append(Head(f"Change since {draw.randint(1999, 2020)}", 4))
                for place, thing in zip(places, things, strict=True):
                    if place == 2 * s + u:
                        self.plan.append(Para(self.writer.paragraph(draw.randint(3, 6))))
                        self.plan.append(thing)
                        if thing.shape == "pair":
                            self.plan.append(Thing("figure"))
                self.plan.append(Para(self.writer.paragraph(draw.randint(3, 7))))
                if draw.random() < 0.3:
                    self.plan += [Para([self.writer.sentence()], "list") for _ in range(3)]
        if look.wide != "none":
            self.plan.append(Thing("table", "wide"))
        for letter in "AB"[: draw.randint(1, 2)]:
            name = f"Appendix {letter}"
            self.plan.append(Head(f"{name}{draw.choice((': ', '. '))}{draw.choice(sections)}", 2, ("heading", name)))
            self.plan.append(Para(self.writer.paragraph(4)))
        if not look.footnotes:
            self.plan.append(Head("Notes to the report", 2))
            for n in (1, 2, 3):
                self.plan.append(
                    Head(f"Note {n}. {draw.choice(self.domain.measures).capitalize()}", 3, ("note", str(n)))
                )
                self.plan.append(Para(self.writer.paragraph(3)))

    def _label(self) -> None:
        look, section = self.look, 0
        counts: dict[str, int] = {}
        for place, item in enumerate(self.plan):
            if isinstance(item, Head) and item.level == 2:
                section += 1
                if look.numbers == "dotted":
                    counts = {}
            if isinstance(item, Thing):
                item.key = ("object", str(place))
                if not item.captioned:
                    continue
                word = look.labels[item.kind == "figure"]
                counts[word] = counts.get(word, 0) + 1
                number = str(counts[word])
                if look.numbers == "dotted":
                    number = f"{section}.{number}"
                if look.numbers == "roman":
                    number = _ROMAN[counts[word] - 1]
                item.label = f"{word} {number}"
                item.spoken = f"{look.short if item.kind == 'figure' else word.capitalize()} {number}"

    def _mention(self) -> None:
        draw, wording = self.random, self.look.wording
        paragraphs = [p for p in self.plan if isinstance(p, Para) and p.kind == "text"]
        things = [t for t in self.plan if isinstance(t, Thing)]
        for place, thing in [(n, t) for n, t in enumerate(self.plan) if isinstance(t, Thing)]:
            before = next(p for p in reversed(self.plan[:place]) if isinstance(p, Para))
            if thing.captioned:
                self._say(before, draw.choice(wording.named), thing.spoken, (thing.key,))
                if draw.random() < 0.6:
                    self._say(draw.choice(paragraphs), draw.choice(wording.named), thing.spoken, (thing.key,))
            elif draw.random() < 0.3:
                after = next(p for p in self.plan[place:] if isinstance(p, Para))
                after.sentences.insert(0, f"The {thing.kind} above says how.")
                after.mentions.append((f"{thing.kind} above", (thing.key,)))
            else:
                sentence = draw.choice(wording.near).format(below=f"{thing.kind} below", kind=thing.kind)
                words = f"{thing.kind} below" if "below" in sentence else f"following {thing.kind}"
                self._say(before, sentence, words, (thing.key,), last=True)
        for kind in ("table", "figure"):
            same = [t for t in things if t.kind == kind and t.captioned]
            word = self.look.labels[kind == "figure"].capitalize().rstrip(".")
            if len(same) > 1:
                numbers = [t.label.split()[-1] for t in same[:2]]
                words = f"{word}s {numbers[0]} and {numbers[1]}"
                self._say(draw.choice(paragraphs), draw.choice(wording.named), words, tuple(t.key for t in same[:2]))
        for page in draw.sample(range(1, 5), 2):
            if page + self.look.offset > 0:
                words = f"page {page + self.look.offset}"
                sentence = draw.choice(wording.page).replace("{n}", str(page + self.look.offset))
                self._say(draw.choice(paragraphs), sentence, words, (("page", str(page)),))
        for head in [h for h in self.plan if isinstance(h, Head) and h.key]:
            words = " ".join(head.text.split()[:2]).rstrip(".:")
            self._say(draw.choice(paragraphs[:-2]), draw.choice(wording.named), words, (head.key,) if head.key else ())
        self._say(draw.choice(paragraphs), draw.choice(wording.elsewhere), "", ())
        if self.look.footnotes:
            for n in (1, 2, 3):
                self._note(draw.choice(paragraphs[2:]), str(n))
            self._say(draw.choice(paragraphs), draw.choice(wording.named), "note 2", (("note", "2"),))

    def _say(self, para: Para, sentence: str, words: str, keys: tuple[Key, ...], last: bool = False) -> None:
        sentence = sentence.format(it=words)
        sentence = sentence[0].upper() + sentence[1:]
        words = words if words in sentence else words[:1].upper() + words[1:]
        para.sentences.insert(len(para.sentences) if last else self.random.randrange(len(para.sentences) + 1), sentence)
        if keys:
            para.mentions.append((words, keys))

    def _note(self, para: Para, number: str) -> None:
        at = self.random.randrange(len(para.sentences))
        mark = " ".join(para.sentences[at].split()[-3:])
        para.sentences[at] += f"<super>{number}</super>"
        para.notes.append((mark, number, self.writer.sentence()))
