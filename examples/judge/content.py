"""Tables by chance, as grids whose truth is known: kinds of columns, header levels, groups, totals, cells that span.

Knows nothing of how a table looks.
"""

from __future__ import annotations

from calendar import month_name
from dataclasses import dataclass, field
from random import Random


def _list(words: str) -> list[str]:
    return [word.strip() for word in words.split(",")]


PLACES = _list("""
Austria, Belgium, Bulgaria, Cyprus, Czech Republic, Denmark, Estonia, Finland, France, Germany, Greece,
Hungary, Ireland, Italy, Latvia, Lithuania, Luxembourg, Malta, Netherlands, Poland, Portugal, Romania,
Slovenia, Spain, Sweden, United Kingdom, Alabama, Alaska, Arizona, California, Colorado, District of Columbia,
Florida, Georgia, New Hampshire, New Mexico, North Carolina, Ohio, Rhode Island, Texas, West Virginia,
Wyoming, Boston, San Francisco, St. Louis, Kansas City
""")
NOUNS = _list("""
employment, income, revenue, expenditure, population, students, households, exports, imports, emissions,
vehicles, loans, deposits, securities, assets, liabilities, earnings, wages, services, goods, equipment,
construction, agriculture, research, training, insurance, benefits, taxes, grants, projects, facilities,
patients, cases, samples, compounds, substances, fuel, energy, water, waste, transport, housing, education,
health, trade, retail, manufacturing, utilities, offices, contracts
""")
ADJECTIVES = _list("""
total, net, gross, average, annual, monthly, other, new, current, previous, domestic, foreign, public,
private, federal, local, general, special, direct, indirect, primary, secondary, full-time, part-time, rural,
urban, male, female, estimated, adjusted, consolidated, organic, inorganic, residential, commercial,
short-term, long-term, non-financial, seasonally adjusted
""")
VERBS = _list("""
provide, support, review, extend, measure, report, reduce, improve, monitor, finance, establish, coordinate
""")
UNITS = ("(%)", "(EURm)", "(in millions)", "(000)", "kg/year", "(number)", "(US$)", "per 1,000", "(thousands)", "(a)")
MISSING = ("-", "–", "n.a.", "..", "", "", ":", "(D)", "*", "NA")
MONTHS = list(month_name[1:])


@dataclass(slots=True)
class Column:
    """`kind` names the maker of its cells; `missing` is the share of cells without a value."""

    kind: str
    missing: float = 0.0
    style: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Content:
    """The truth: `rows` with "" in places that a span covers, `spans` as (row, column, rows, columns).

    `groups` are rows with a label alone, `totals` those that close a sum, `indents` how deep a label stands. `whole`
    are spans whose sides a reader sees only by rules: a row label of several rows.
    """

    rows: list[list[str]]
    header: int
    columns: list[Column]
    spans: list[tuple[int, int, int, int]] = field(default_factory=list)
    groups: set[int] = field(default_factory=set)
    totals: set[int] = field(default_factory=set)
    indents: dict[int, int] = field(default_factory=dict)

    def span(self, row: int, column: int) -> tuple[int, int]:
        """Rows and columns of the cell at a place."""
        return next(((n, m) for r, c, n, m in self.spans if (r, c) == (row, column)), (1, 1))

    def covered(self) -> set[tuple[int, int]]:
        return {(r + i, c + j) for r, c, n, m in self.spans for i in range(n) for j in range(m) if (i, j) != (0, 0)}


def phrase(chance: Random, least: int = 1, most: int = 4) -> str:
    words: list[str] = []
    while len(words) < chance.randint(least, most):
        words += [*chance.sample(ADJECTIVES, chance.randint(0, 1)), chance.choice(NOUNS)]
        if chance.random() < 0.3:
            words.append(chance.choice(["and", "of", "in", "for", "to", "with"]))
            words.append(chance.choice(NOUNS))
    text = " ".join(words)
    return text[0].upper() + text[1:]


def sentence(chance: Random) -> str:
    end = chance.choice(["", f" by {chance.randint(1990, 2030)}", f" in {chance.choice(PLACES)}"])
    return f"{chance.choice(VERBS).capitalize()} {phrase(chance, 2, 6).lower()}{end}"


def _grouped(n: float, decimals: int, mark: str) -> str:
    return f"{n:,.{decimals}f}".replace(",", mark)


def cell(chance: Random, column: Column) -> str:
    """A cell of the column's kind."""
    if chance.random() < column.missing:
        return chance.choice(MISSING[column.style["missing"] :][:2])
    style = column.style
    size = 10 ** (style["digits"] + chance.random())
    match column.kind:
        case "integer":
            return _grouped(size, 0, [",", " ", ".", ""][style["mark"]])
        case "decimal":
            return _grouped(size / 10, 1 + style["digits"] % 2, ",")
        case "percent":
            return f"{chance.uniform(0, 100):.{style['digits'] % 3}f}{['%', ' %', ''][style['mark'] % 3]}"
        case "money":
            amount = _grouped(size, style["digits"] % 3, ",")
            return f"({amount})" if chance.random() < 0.15 else f"$ {amount}" if style["mark"] == 0 else amount
        case "count and share":
            return f"{int(size)} ({chance.uniform(0, 100):.1f}%)"
        case "change":
            return f"{chance.choice('+-–')}{chance.uniform(0, 30):.1f}"
        case "place":
            return chance.choice(PLACES)
        case "word":
            return chance.choice(
                [chance.choice(NOUNS).capitalize(), "Yes", "No", "Single", "x", "n/a"][: 1 + style["digits"]]
            )
        case "code":
            return f"{chance.choice('ABCDEFG')}{chance.randint(1, 999):03d}"
        case "date":
            return f"{chance.choice(MONTHS)} {chance.randint(1, 28)}, {chance.randint(1995, 2025)}"
        case "phrase":
            return phrase(chance, 2, 5)
        case "picture":
            return ""
        case _:
            return " ".join(sentence(chance) for _ in range(1 + style["digits"] % 2))


NUMERIC = ("integer", "decimal", "percent", "money", "count and share", "change")
WORDY = ("place", "word", "code", "date", "phrase", "sentence")


def column(chance: Random, kinds: tuple[str, ...]) -> Column:
    style = {
        "digits": chance.randint(0, 5),
        "mark": chance.randint(0, 3),
        "missing": chance.randrange(len(MISSING) - 1),
    }
    return Column(chance.choice(kinds), chance.choice([0, 0, 0, 0.05, 0.1, 0.3]), style)


def make(chance: Random) -> Content:
    """A table of 2 to 14 columns and 2 to 30 rows of body."""
    numeric = chance.random() < 0.75
    width = chance.choice([2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 12, 14] if numeric else [2, 2, 3, 3, 4, 5])
    columns = [column(chance, ("place", "phrase", "phrase", "word", "code") if numeric else WORDY)]
    if numeric:
        same = column(chance, NUMERIC)
        mixed = chance.random() < 0.5
        columns += [column(chance, NUMERIC) if mixed else same for _ in range(width - 1)]
        if width > 3 and chance.random() < 0.15:
            columns[chance.choice([1, width - 1])] = column(chance, WORDY[:5])
        if width > 3 and chance.random() < 0.05:
            columns[-1] = Column("picture", 0.0, same.style)
    else:
        columns += [column(chance, WORDY if chance.random() < 0.8 else NUMERIC) for _ in range(width - 1)]
    content = Content(_header(chance, width), 0, columns)
    content.header = len(content.rows)
    _spanned_header(chance, content, width)
    if content.header and numeric and width > 2 and chance.random() < 0.08:  # a unit over all values, below the names
        content.spans.append((content.header, 1, 1, width - 1))
        content.rows.append(
            ["", chance.choice(["Percent", "Millions of dollars", "Number", "EUR 1,000"]), *[""] * (width - 2)]
        )
        content.header += 1
    _body(
        chance, content, chance.choice([2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 26, 40]) if numeric else chance.randint(2, 9)
    )
    if chance.random() < 0.2:
        _footnotes(chance, content)
    return content


def _footnotes(chance: Random, content: Content) -> None:
    """Puts a raised figure, told by "^", at the end of some names."""
    for r, row in enumerate(content.rows):
        for c, text in enumerate(row):
            if (c == 0 or r < content.header) and text and text[-1].isalpha() and chance.random() < 0.2:
                row[c] = f"{text}^{chance.randint(1, 4)}"


def _title(chance: Random, years: bool) -> str:
    if years:
        return str(chance.randint(1985, 2024)) + chance.choice(["", "", "*", " (f)"])
    return " ".join(
        filter(None, [phrase(chance, 1, chance.choice([1, 2, 4])), chance.choice(["", "", "", chance.choice(UNITS)])])
    )


def _period(chance: Random) -> str:
    """A stretch of time as a title over several columns has it, with its year, or without where those below say it."""
    length = chance.choice(["Three Months", "Six Months", "Nine Months", "Twelve Months", "Year", "Quarter"])
    end = f"{chance.choice(MONTHS)} {chance.choice([28, 30, 31])}"
    year = chance.choice([f", {chance.randint(1995, 2024)}", ",", ""])
    return f"{length} {chance.choice(['Ended', 'ended'])} {end}{year}"


def _header(chance: Random, width: int) -> list[list[str]]:
    """The lowest row of the header; none for a few tables."""
    if chance.random() < 0.04:
        return []
    years = chance.random() < 0.3
    dated = chance.random() < 0.1
    first = chance.choice(["", "", phrase(chance, 1, 2), "Country", "Item", "Category"])
    row = [first, *(_title(chance, years) for _ in range(width - 1))]
    if dated:
        row[1:] = [f"{chance.choice(MONTHS)} {chance.choice([28, 30, 31])}, {2000 + n}" for n in range(width - 1)]
    rows = [row]
    if chance.random() < 0.08:
        rows.append(["", *(f"({n})" for n in range(1, width))])
    return rows


def _spanned_header(chance: Random, content: Content, width: int) -> None:
    """Puts up to two rows with spanning titles above the header's first."""
    if width < 4 or not content.header:
        return
    for _ in range(chance.choice([0, 0, 0, 1, 1, 2] if width > 5 else [0, 0, 1])):
        row, at = [""] * width, 1
        content.rows.insert(0, row)
        content.header += 1
        content.spans = [(r + 1, c, n, m) for r, c, n, m in content.spans]
        even, periods = chance.choice([0, 0, 2, 3, 4]), chance.random() < 0.3
        while at < width:
            reach = min(even or chance.choice([1, 2, 2, 3, 4]), width - at)
            if reach > 1:
                row[at] = _period(chance) if periods else _title(chance, chance.random() < 0.4)
                content.spans.append((0, at, 1, reach))
            at += reach
        content.rows[1][1:] = [content.rows[1][1:], _repeated(chance, content, width)][even > 1 and content.header == 2]


def _repeated(chance: Random, content: Content, width: int) -> list[str]:
    """The same few titles under each spanning one ("N", "% Pos")."""
    reach = content.spans[0][3] if content.spans else 2
    titles = [
        _title(chance, False)
        if chance.random() < 0.5
        else chance.choice(["N", "%", "Male", "Female", "Total", "Number", "Percent"])
        for _ in range(reach)
    ]
    return [titles[(c - 1) % reach] for c in range(1, width)]


def _body(chance: Random, content: Content, length: int) -> None:
    columns, width = content.columns, len(content.columns)
    grouped, nested = chance.random() < 0.35, chance.random() < 0.12 and width > 2
    if nested:  # a label over several rows, the next column naming each
        columns[1] = column(chance, ("word", "phrase", "place"))
        names = [cell(chance, columns[1]) for _ in range(chance.randint(2, 3))]
    while len(content.rows) - content.header < length:
        if grouped and chance.random() < 0.25:
            for depth in range(chance.choice([1, 1, 1, 2])):
                content.groups.add(len(content.rows))
                content.indents[len(content.rows)] = depth
                name = phrase(chance, 1, chance.choice([3, 3, 9])) + chance.choice(["", ":"])
                content.rows.append([name, *[""] * (width - 1)])
        start = len(content.rows)
        for name in names if nested else [None]:
            row = [cell(chance, one) for one in columns]
            if name is not None:
                row[0], row[1] = (row[0] if len(content.rows) == start else ""), name
            if not any(row[1:]):
                row[-1] = "0"
            row[0] = row[0] or ("" if name is not None else "Other")
            content.rows.append(row)
            content.indents[len(content.rows) - 1] = int(grouped)
        if nested:
            content.spans.append((start, 0, len(names), 1))
    if columns[-1].kind in NUMERIC and chance.random() < 0.3 and not nested:
        content.totals.add(len(content.rows))
        content.rows.append(
            [
                chance.choice(["Total", "All " + chance.choice(NOUNS), "Grand total"]),
                *(cell(chance, one) for one in columns[1:]),
            ]
        )
