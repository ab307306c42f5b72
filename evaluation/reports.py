"""The report of an evaluation: a Markdown file with its pictures beside it, and an HTML file that holds everything."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from octavo.evaluation.plots import groups_plot, metrics_plot, recall_plot
from octavo.evaluation.questions import Question
from octavo.evaluation.results import Outcome
from octavo.evaluation.statistics import RESAMPLES, Estimate
from octavo.evaluation.summary import ANSWER_METRICS, METRICS, PAGE_METRICS, Latency, Summary
from octavo.ingest.text import count


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Picture:
    file: str
    png: bytes
    description: str


Block = Heading | Paragraph | Table | Picture


def write_reports(
    folder: Path, summary: Summary, questions: Sequence[Question], outcomes: Sequence[Outcome]
) -> list[Path]:
    """Writes report.md with its pictures, and report.html with the answers too, into `folder`; gives their paths."""
    blocks = report(summary)
    pictures = [block for block in blocks if isinstance(block, Picture)]
    for picture in pictures:
        (folder / picture.file).write_bytes(picture.png)
    page, html = folder / "report.md", folder / "report.html"
    page.write_text(markdown(blocks), encoding="utf-8")
    html.write_text(webpage(blocks, questions, outcomes), encoding="utf-8")
    return [page, html, *(folder / picture.file for picture in pictures)]


def report(summary: Summary) -> list[Block]:
    """What the report says, in order."""
    s = summary
    ndcg = "ndcg" if s.ndcg == "standard" else "ndcg_unidoc"
    answered = [name for name in ANSWER_METRICS if any(name in way.metrics for way in s.ways.values())]
    blocks: list[Block] = [
        Heading(f"Evaluation on {s.source}"),
        Paragraph(
            f"{count(s.questions, 'question')} with {count(s.evidence_pages, 'page')} of evidence "
            f"in {count(s.documents, 'document')}; k = {s.k}; ways: {', '.join(s.ways)}. {_settings(s)}"
        ),
        Paragraph(
            f"In brackets are 95% intervals: the percentile bootstrap over questions ({RESAMPLES:,} resamples, seed "
            f"{s.seed}) for means, Wilson's for shares. Ways were asked the same questions, so compare them by the "
            "table of differences: where its interval holds 0, the questions do not tell the two apart."
        ),
        Heading("Pages found"),
        _metrics_table(s, list(PAGE_METRICS)),
        Picture("recall.png", recall_plot(s), f"Recall of evidence pages at 1 to {s.k} by way"),
        Picture("metrics.png", metrics_plot(s, ["precision", "recall", ndcg, "mrr"]), "Page metrics by way"),
    ]
    if answered:
        blocks += [
            Heading("Answers"),
            _metrics_table(s, answered),
            Picture("answers.png", metrics_plot(s, answered), "Answer metrics by way"),
        ]
    if len(s.ways) > 1:
        blocks += [Heading(f"Differences from {s.first}"), _differences_table(s, [*PAGE_METRICS, *answered])]
    blocks += [Heading("Recall by depth"), _depth_table(s), Heading("Seconds a question"), _latency_table(s)]
    for grouping in dict.fromkeys(group.grouping for group in s.groups):
        groups = [group for group in s.groups if group.grouping == grouping]
        name = grouping.replace("_", " ")
        blocks += [
            Heading(f"By {name}"),
            *(_group_table(s, grouping, metric) for metric in ("recall", ndcg, *answered) if _measured(s, metric)),
            Picture(f"recall-by-{grouping}.png", groups_plot(groups, "recall"), f"Recall by {name} and way"),
        ]
    return blocks


def markdown(blocks: Sequence[Block]) -> str:
    """The report as Markdown; its pictures are files beside it."""
    parts = []
    for n, block in enumerate(blocks):
        match block:
            case Heading(text):
                parts.append(f"{'#' if n == 0 else '##'} {_plain(text)}")
            case Paragraph(text):
                parts.append(_plain(text))
            case Table(head, rows):
                lines = [head, ["---"] * len(head), *rows]
                parts.append("\n".join(f"| {' | '.join(map(_plain, line))} |" for line in lines))
            case Picture(file, _, description):
                parts.append(f"![{description}]({file})")
    return "\n\n".join(parts) + "\n"


def webpage(blocks: Sequence[Block], questions: Sequence[Question] = (), outcomes: Sequence[Outcome] = ()) -> str:
    """The report as one HTML page that asks nothing of the network; with `questions`, what each way found and said."""
    parts = []
    for n, block in enumerate(blocks):
        match block:
            case Heading(text):
                parts.append(f"<h{1 if n == 0 else 2}>{escape(text)}</h{1 if n == 0 else 2}>")
            case Paragraph(text):
                parts.append(f"<p>{escape(text)}</p>")
            case Table(head, rows):
                parts.append(_html_table(head, rows))
            case Picture(_, png, description):
                data = base64.b64encode(png).decode()
                parts.append(f'<img src="data:image/png;base64,{data}" alt="{escape(description)}">')
    if questions:
        parts += ["<h2>Questions</h2>", *(_html_question(question, outcomes) for question in questions)]
    heading = blocks[0].text if blocks and isinstance(blocks[0], Heading) else "Evaluation"
    return _PAGE.format(title=escape(heading), body="\n".join(parts))


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
  max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.2rem; margin-top: 2rem; }}
img {{ display: block; width: 100%; max-width: 34rem; height: auto; margin: 1rem 0; }}
.table {{ overflow-x: auto; margin: 1rem 0; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }}
th, td {{ text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid #ddd; white-space: nowrap; }}
th:first-child, td:first-child {{ position: sticky; left: 0; background: #fff; }}
details {{ border-bottom: 1px solid #ddd; padding: .4rem 0; }} summary {{ cursor: pointer; }}
.said {{ margin: .3rem 0 .3rem 1rem; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="table"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _html_question(question: Question, outcomes: Sequence[Outcome]) -> str:
    evidence = "; ".join(f"{document}, page {page}" for document, page in sorted(question.evidence))
    lines = [f"Evidence: {evidence}", *([f"Reference: {question.answer}"] if question.answer else [])]
    for outcome in (o for o in outcomes if o.question == question.id):
        ranks = [n for n, item in enumerate(outcome.retrieved, 1) if question.evidence.intersection(item)]
        found = f"evidence at {', '.join(map(str, ranks))}" if ranks else "no evidence found"
        said = f"; said: {outcome.reply.text}" if outcome.reply else ""
        lines.append(f"{outcome.way}: {found}{said}")
    body = "".join(f'<p class="said">{escape(line)}</p>' for line in lines)
    return f"<details><summary>{escape(question.text)}</summary>{body}</details>"


# Tables


def _metrics_table(s: Summary, names: Sequence[str]) -> Table:
    head = ["way", *(_head(s, name) for name in names)]
    return Table(head, [[way, *(_shown(found.metrics.get(n)) for n in names)] for way, found in s.ways.items()])


def _differences_table(s: Summary, names: Sequence[str]) -> Table:
    head = ["way", *(_head(s, name) for name in names)]
    rows = [[w, *(_shown(f.differences.get(n), signed=True) for n in names)] for w, f in s.ways.items() if w != s.first]
    return Table(head, rows)


def _depth_table(s: Summary) -> Table:
    depths = [n for n in (1, 3, 5, 10, 20, 50, 100) if n < s.k] + [s.k]
    head = ["way", *(f"{n} item{'s' * (n > 1)}" for n in depths), *(f"{n} page{'s' * (n > 1)}" for n in depths)]
    curves = {way: [found.recall_at, found.pages_recall_at] for way, found in s.ways.items()}
    return Table(head, [[w, *(f"{curve[n - 1]:.3f}" for curve in both for n in depths)] for w, both in curves.items()])


def _latency_table(s: Summary) -> Table:
    def cells(latency: Latency | None) -> list[str]:
        return [f"{latency.median:.3f}", f"{latency.p95:.3f}"] if latency else ["", ""]

    head = ["way", "search, median", "search, 95%", "answer, median", "answer, 95%"]
    return Table(head, [[way, *cells(found.search), *cells(found.answer)] for way, found in s.ways.items()])


def _group_table(s: Summary, grouping: str, name: str) -> Table:
    groups = [group for group in s.groups if group.grouping == grouping]
    head = [_head(s, name), "n", *s.ways]
    rows = [[g.value, str(g.n), *(_shown(g.ways[way].get(name)) for way in s.ways)] for g in groups]
    return Table(head, rows)


def _measured(s: Summary, name: str) -> bool:
    return any(name in way.metrics for way in s.ways.values())


def _head(s: Summary, name: str) -> str:
    """What a column of this metric is called, with the number of questions where it does not apply to all."""
    label = METRICS[name]
    if name in PAGE_METRICS:
        return label.replace(" ", f"@{s.k} ") if " " in label else f"{label}@{s.k}"
    n = max(way.metrics[name].n if name in way.metrics else 0 for way in s.ways.values())
    return label if n == s.questions else f"{label} (n = {n})"


def _shown(estimate: Estimate | None, signed: bool = False) -> str:
    if estimate is None:
        return ""
    form = "+.3f" if signed else ".3f"
    return f"{estimate.mean:{form}} ({estimate.low:{form}} to {estimate.high:{form}})"


def _settings(s: Summary) -> str:
    shown = {key: ", ".join(map(str, value)) if isinstance(value, list) else value for key, value in s.settings.items()}
    told = "; ".join(f"{key}: {value}" for key, value in shown.items() if value is not None and key != "k")
    return f"Settings: {told}." if told else ""


def _plain(text: str) -> str:
    """Text that neither ends a table's cell nor becomes a tag."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
