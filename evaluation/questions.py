"""Questions with their true answers and pages: our own lines, FinanceBench's and UniDoc-Bench's, told by their keys.

Knows nothing of libraries; `resolve` matches the documents that questions name with those there are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from octavo.evaluation.metrics import Page
from octavo.ingest.text import count, reason_of

_NAMED = 3  # missing documents that an error lists


class QuestionsError(ValueError):
    """A question file that cannot be used; the message is one line that says where and why."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what is known of its answer.

    `answer` is the reference answer, "" if there is none; `evidence` the pages, from 1, that hold it. `type`,
    `answer_type` and `domain` sort questions, "" where the file has none. `facts`: spellings of each fact that a right
    answer names.
    """

    id: str
    text: str
    answer: str
    evidence: frozenset[Page]
    type: str = ""
    answer_type: str = ""
    domain: str = ""
    facts: tuple[tuple[str, ...], ...] = ()


def read_questions(path: Path) -> list[Question]:
    """The questions of a file: JSON Lines, a JSON list, or Parquet. Each entry may be of any of the known forms.

    Raises QuestionsError naming file, line and fault, and OSError.
    """
    questions: list[Question] = []
    places: dict[str, str] = {}
    faults: list[str] = []
    for place, entry in _entries(path):
        try:
            if isinstance(entry, _Broken):
                raise QuestionsError(entry.reason)
            question = _question(entry, place, path.stem)
            if question.id in places:
                raise QuestionsError(f"its id {question.id!r} is that of {places[question.id]}")
        except QuestionsError as error:
            faults.append(f"{path.name}, {place}: {error}")
            continue
        places[question.id] = place
        questions.append(question)
    if faults:
        more = f" ({len(faults) - 1} more like it)" if len(faults) > 1 else ""
        raise QuestionsError(faults[0] + more)
    if not questions:
        raise QuestionsError(f"{path.name}: no questions in it")
    return questions


def resolve(questions: Iterable[Question], documents: Mapping[str, int], source: str) -> list[Question]:
    """The questions with their documents' names as `documents` has them; names match with or without ".pdf".

    `documents` maps names to numbers of pages; `source` is what an error calls the questions. Raises QuestionsError for
    documents that are not there and for pages beyond a document's end.
    """
    names = {_stem(name): name for name in documents}
    questions = list(questions)
    wanted = dict.fromkeys(document for q in questions for document, _ in sorted(q.evidence))
    missing = [document for document in wanted if _stem(document) not in names]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise QuestionsError(
            f"{source} names {len(missing)} of its {len(wanted)} documents that the library lacks "
            f"({', '.join(missing[:_NAMED])}{more}): take them in with `octavo ingest`"
        )
    resolved = []
    for question in questions:
        evidence = frozenset((names[_stem(document)], page) for document, page in question.evidence)
        for document, page in sorted(evidence):
            if page > documents[document]:
                raise QuestionsError(
                    f"{source}, question {question.id}: its evidence is page {page} of {document}, "
                    f"which has {count(documents[document], 'page')}"
                )
        resolved.append(replace(question, evidence=evidence))
    return resolved


def _stem(name: str) -> str:
    return name[:-4] if name.lower().endswith(".pdf") else name


# Files


@dataclass(frozen=True, slots=True)
class _Broken:
    """A line that is no JSON, with the reason; reported with its place like any other fault."""

    reason: str


def _entries(path: Path) -> Iterable[tuple[str, Any]]:
    """(where it stands, what it says) of each entry of a file."""
    if path.suffix.lower() == ".parquet":
        return _parquet(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise QuestionsError(f"{path.name}: not UTF-8 text (byte {error.start})") from error
    return _array(path, text) if text.lstrip().startswith("[") else _lines(text)


def _lines(text: str) -> Iterable[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except json.JSONDecodeError as error:
                yield f"line {number}", _Broken(f"not JSON ({error.msg}, column {error.colno})")


def _array(path: Path, text: str) -> Iterable[tuple[str, Any]]:
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise QuestionsError(f"{path.name}, line {error.lineno}: not JSON ({error.msg})") from error
    return [(f"entry {number}", entry) for number, entry in enumerate(entries, 1)]


def _parquet(path: Path) -> Iterable[tuple[str, Any]]:
    # Only published benchmarks need it.
    from pyarrow import ArrowException, parquet  # type: ignore[import-untyped]

    try:
        rows = parquet.read_table(path).to_pylist()
    except ArrowException as error:
        raise QuestionsError(f"{path.name}: no Parquet file ({reason_of(error)})") from error
    return [(f"row {number}", row) for number, row in enumerate(rows, 1)]


# Forms of an entry


def _question(entry: Any, place: str, file: str) -> Question:
    if not isinstance(entry, dict):
        raise QuestionsError(f"a question is a JSON object, not {type(entry).__name__}")
    for key, read in _FORMS.items():
        if key in entry:
            return read(entry, place.split()[-1], file)
    raise QuestionsError(f'no "evidence" (keys: {", ".join(sorted(map(str, entry))) or "none"})')


def _unidoc(entry: dict[str, Any], number: str, file: str) -> Question:
    """As published: `gt_image_paths` such as images/finance/0022610/0022610_page_0005.png."""
    pages = [_pictured(path) for path in _list(entry, "gt_image_paths")]
    return Question(
        id=_id(entry, number),
        text=_text(entry, "question"),
        answer=_answer(entry, "answer"),
        evidence=_evidence(pages),
        type=_label(entry, "question_type"),
        answer_type=_label(entry, "answer_type"),
        domain=_label(entry, "domain"),
    )


def _unidoc_filtered(entry: dict[str, Any], number: str, file: str) -> Question:
    """As in the benchmark's repository: `chunk_used` names text chunks and figures; the file's name is the domain."""
    used = entry["chunk_used"]
    if not isinstance(used, dict):
        raise QuestionsError('"chunk_used" is no object')
    pages: list[Page] = []
    for part in used.values():
        if isinstance(part, dict) and part.get("used"):
            source = part.get("metadata")
            pages += _sourced(source["source"] if isinstance(source, dict) and "source" in source else source)
    return Question(
        id=_id(entry, number),
        text=_text(entry, "rewritten_question_obscured" if "rewritten_question_obscured" in entry else "question"),
        answer=_answer(entry, "complete_answer" if "complete_answer" in entry else "answer"),
        evidence=_evidence(pages),
        type=_label(entry, "question_type"),
        answer_type=_label(entry, "answer_type"),
        domain=_label(entry, "domain") or file,
    )


def _own_or_financebench(entry: dict[str, Any], number: str, file: str) -> Question:
    pages = [_place(part, entry) for part in _list(entry, "evidence")]
    return Question(
        id=_id(entry, number),
        text=_text(entry, "question"),
        answer=_answer(entry, "answer"),
        evidence=_evidence(pages),
        type=_label(entry, "type") or _label(entry, "question_type") or _label(entry, "kind"),
        answer_type=_label(entry, "answer_type"),
        domain=_label(entry, "domain"),
        facts=_facts(entry.get("facts")),
    )


_FORMS: dict[str, Callable[[dict[str, Any], str, str], Question]] = {
    "gt_image_paths": _unidoc,
    "chunk_used": _unidoc_filtered,
    "evidence": _own_or_financebench,
}


def _place(part: Any, entry: dict[str, Any]) -> Page:
    """A page of evidence: {"document", "page" from 1}, or FinanceBench's with "evidence_page_num" from 0."""
    if not isinstance(part, dict):
        raise QuestionsError('an item of "evidence" is no object')
    if "evidence_page_num" in part:
        name = part.get("doc_name") or part.get("evidence_doc_name") or entry.get("doc_name")
        page, least = part["evidence_page_num"], 0
    else:
        name, page, least = part.get("document"), part.get("page"), 1
    if not isinstance(name, str) or not name.strip():
        raise QuestionsError('an item of "evidence" names no "document"')
    if not isinstance(page, int) or isinstance(page, bool) or page < least:
        raise QuestionsError(f'the "page" of {name} in "evidence" is {json.dumps(page)}, not a number from {least}')
    return name.strip(), page + 1 - least


def _pictured(path: Any) -> Page:
    name = PurePosixPath(path) if isinstance(path, str) else PurePosixPath()
    match = re.fullmatch(r"(.+?)_(?:page_?)?(\d+)", name.stem)
    if match is None:
        raise QuestionsError(f'no document and page in {path!r} of "gt_image_paths"')
    return match[1], int(match[2])


def _sourced(path: Any) -> list[Page]:
    """Pages of 4751111_id_4_pg8_pg10.txt (a chunk on 8 to 10) or 4751111/figure-5-7.jpg (a figure on 5)."""
    source = PurePosixPath(path) if isinstance(path, str) else PurePosixPath()
    if chunk := re.match(r"(\d+)_id", source.name):
        numbers = [int(number) for number in re.findall(r"pg(\d+)", source.name)[-2:]]
        if numbers:
            return [(chunk[1], page) for page in range(numbers[0], max(numbers[0], numbers[-1]) + 1)]
    if figure := re.match(r"[a-z]+-(\d+)-\d+$", source.stem):
        return [(source.parent.name, int(figure[1]))]
    raise QuestionsError(f'no document and page in {path!r} of "chunk_used"')


def _evidence(pages: Sequence[Page]) -> frozenset[Page]:
    if not pages:
        raise QuestionsError("no page of evidence")
    return frozenset(pages)


def _list(entry: dict[str, Any], key: str) -> list[Any]:
    value = entry[key]
    if not isinstance(value, list):
        raise QuestionsError(f'"{key}" is no list')
    return value


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise QuestionsError(f'no "{key}"')
    return " ".join(value.split())


def _answer(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise QuestionsError(f'"{key}" is no text')
    return str(value).strip()


def _label(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value.strip() if isinstance(value, str) else ""


def _id(entry: dict[str, Any], number: str) -> str:
    value = entry.get("id", entry.get("financebench_id"))
    return str(value) if value not in (None, "") else number


def _facts(value: Any) -> tuple[tuple[str, ...], ...]:
    """Facts as benchmarks/answers has them: a list of lists of spellings; a fact of one spelling may stand bare."""
    if value is None:
        return ()
    facts = [[fact] if isinstance(fact, str) else fact for fact in value] if isinstance(value, list) else [None]
    if not all(isinstance(f, list) and f and all(isinstance(s, str) and s for s in f) for f in facts):
        raise QuestionsError('"facts" is no list of lists of spellings')
    return tuple(tuple(fact) for fact in facts if fact)
