"""What the extractive reader finds: the cell, sentence or figure that answers, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from octavo.generation.candidates import without_ticks
from octavo.generation.cells import quantity
from octavo.generation.extractive import ExtractiveReader
from octavo.generation.model import Finding
from octavo.generation.periods import Period, agreement, current, find
from octavo.generation.question import Want, found, understand
from octavo.ingest.model import Box, Chunk, Element, ElementType, Span, Table
from octavo.ingest.tables import Cell, column_names
from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.model import Hit


@pytest.fixture(scope="module")
def reader() -> ExtractiveReader:
    return ExtractiveReader(SentenceEmbedder())


def text(words: str, key: str = "t", type: ElementType = ElementType.TEXT, y: float = 100) -> Element:
    return Element(key, type, 1, (50.0, y, 550.0, y + 40), words)


def table(*rows: Sequence[str], header: int = 1, spans: Sequence[Span] = (), key: str = "table") -> Element:
    """A table element whose cells are 80 by 10 points, from (50, 200) on."""
    cells = [
        [(50.0 + 80 * c, 200.0 + 10 * r, 130.0 + 80 * c, 210.0 + 10 * r) for c in range(len(rows[0]))]
        for r in range(len(rows))
    ]
    grid = Table(tuple(map(tuple, rows)), tuple(map(tuple, cells)), tuple(spans), header)
    return Element(key, ElementType.TABLE, 1, (50.0, 200.0, 550.0, 200.0 + 10 * len(rows)), "", table=grid)


def box(row: int, column: int) -> Box:
    return (50.0 + 80 * column, 200.0 + 10 * row, 130.0 + 80 * column, 210.0 + 10 * row)


def hit(*elements: Element, document: str = "report.pdf", context: str = "report", score: float = 1.0) -> Hit:
    words = "\n".join(
        e.text or "\n".join(" | ".join(row) for row in e.table.rows) for e in elements if e.text or e.table
    )
    chunk = Chunk(elements[0].type, elements[0].page, context, words, tuple(e.id for e in elements), 1)
    return Hit(chunk, document, document, tuple(elements), score)


def best(findings: Sequence[Finding]) -> str:
    return findings[0].text if findings else ""


OPERATIONS = table(
    ("", "Three Months Ended", "", "Nine Months Ended", ""),
    ("", "June 25, 2022", "June 26, 2021", "June 25, 2022", "June 26, 2021"),
    ("Net sales:", "", "", "", ""),
    ("Products", "$ 63,355", "$ 63,948", "$ 245,241", "$ 232,309"),
    ("Services", "19,604", "17,486", "58,941", "50,148"),
    ("Total net sales", "82,959", "81,434", "304,182", "282,457"),
    ("Cost of sales:", "", "", "", ""),
    ("Products", "41,485", "40,899", "155,084", "149,476"),
    ("Services", "5,589", "5,280", "16,411", "15,319"),
    ("Total cost of sales", "47,074", "46,179", "171,495", "164,795"),
    ("Gross margin", "35,885", "35,255", "132,687", "117,662"),
    ("Operating income", "23,076", "24,126", "94,543", "85,163"),
    ("Earnings per share:", "", "", "", ""),
    ("Diluted", "$ 1.20", "$ 1.30", "$ 4.82", "$ 4.38"),
    header=2,
    spans=(Span(0, 1, 1, 2), Span(0, 3, 1, 2)),
    key="operations",
)
UNIT = text("(In millions, except number of shares which are reflected in thousands and per share amounts)", "unit")
STATEMENT = hit(
    OPERATIONS, UNIT, document="2022 Q3 AAPL.pdf", context="2022 Q3 AAPL: Apple Inc. › STATEMENTS OF OPERATIONS"
)


# A table's cells


def test_a_cell_is_told_with_its_unit_label_and_period(reader: ExtractiveReader) -> None:
    [first, *_] = reader.read("What were Apple's total net sales in the third quarter of 2022?", [STATEMENT])
    assert first.text == "$82,959 million (Total net sales, Three Months Ended June 25, 2022)"
    assert first.element is OPERATIONS
    assert first.bbox == box(5, 1)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What were Apple's total net sales in the third quarter of 2021?", "$81,434 million"),
        ("What were Apple's total net sales in the nine months ended June 25, 2022?", "$304,182 million"),
        ("What was Apple's operating income in the latest quarter?", "$23,076 million"),
        ("How much did products cost in sales, that is the cost of sales for products, in Q3 2022?", "$41,485 million"),
        ("What were the net sales of services in Q3 2022?", "$19,604 million"),
    ],
)
def test_the_column_fits_the_period_and_the_row_its_group(reader: ExtractiveReader, question: str, value: str) -> None:
    assert best(reader.read(question, [STATEMENT])).startswith(value)


def test_an_amount_per_share_takes_no_scale(reader: ExtractiveReader) -> None:
    found = best(reader.read("What were Apple's diluted earnings per share in Q3 2022?", [STATEMENT]))
    assert found == "$1.20 (Earnings per share: Diluted, Three Months Ended June 25, 2022)"


def test_two_rows_that_are_named_are_told_together_and_boxed_together(reader: ExtractiveReader) -> None:
    [first, *_] = reader.read("What were Apple's gross margin and operating income in Q3 2022?", [STATEMENT])
    assert "$35,885 million (Gross margin" in first.text
    assert "$23,076 million (Operating income" in first.text
    assert first.bbox == (box(10, 1)[0], box(10, 1)[1], box(11, 1)[2], box(11, 1)[3])


def test_an_enumeration_names_rows_by_half_their_label(reader: ExtractiveReader) -> None:
    assets = hit(
        table(
            ("(In millions)", "2022"),
            ("Cash and cash equivalents", "2,800"),
            ("Accounts receivable, net", "4,908"),
            ("Inventories", "4,454"),
            ("Prepaid expenses", "1,223"),
        )
    )
    found = best(reader.read("What were cash, inventories and accounts receivable in 2022?", [assets]))
    assert sorted(found.split("; ")) == [
        "2,800 million (Cash and cash equivalents, 2022)",
        "4,454 million (Inventories, 2022)",
        "4,908 million (Accounts receivable, net, 2022)",
    ]


def test_a_comparison_of_periods_tells_both(reader: ExtractiveReader) -> None:
    found = best(reader.read("How did Apple's operating income in Q3 2022 compare with Q3 2021?", [STATEMENT]))
    assert "$23,076 million" in found
    assert "$24,126 million" in found


def test_a_documents_own_period_is_its_newest_column_whatever_the_year_is_called(reader: ExtractiveReader) -> None:
    sales = table(
        ("", "Three Months Ended", ""),
        ("", "December 25, 2021", "December 31, 2022"),
        ("Total net sales", "$ 123,945", "$ 117,154"),
        header=2,
        spans=(Span(0, 1, 1, 2),),
    )
    report = hit(sales, document="2023 Q1 AAPL.pdf", context="2023 Q1 AAPL: Apple Inc.")
    assert best(reader.read("What were Apple's total net sales in Q1 2023?", [report])).startswith("$117,154")


def test_the_latest_quarter_is_that_of_the_newest_document(reader: ExtractiveReader) -> None:
    def report(document: str, day: str, value: str) -> Hit:
        rows = ("", f"Three Months Ended {day}"), ("Total net sales", value)
        return hit(table(*rows, key=document), document=document, context=f"{document[:-4]}: Apple Inc.")

    hits = [
        report("2022 Q3 AAPL.pdf", "June 25, 2022", "$ 82,959"),
        report("2023 Q3 AAPL.pdf", "July 1, 2023", "$ 81,797"),
        report("2023 Q1 AAPL.pdf", "December 31, 2022", "$ 117,154"),
    ]
    assert best(reader.read("What were Apple's total net sales in the latest quarter?", hits)).startswith("$81,797")


def test_the_document_that_goes_by_the_name_asked_for_comes_first(reader: ExtractiveReader) -> None:
    def report(document: str, value: str) -> Hit:
        rows = ("", "Three Months Ended September 30, 2022"), ("Total revenue", value)
        return hit(table(*rows, key=document), document=document, context=document[:-4])

    hits = [report("2022 Q3 INTC.pdf", "$ 15,338"), report("2022 Q3 MSFT.pdf", "$ 50,122")]
    assert best(reader.read("What was Microsoft's total revenue in Q3 2022?", hits)).startswith("$50,122")


def test_a_change_is_told_only_where_it_is_asked_for(reader: ExtractiveReader) -> None:
    growth = hit(
        table(
            ("", "2023", "2022", "Percentage Change"),
            ("Research and development", "$ 6,844", "$ 5,758", "19 %"),
            ("Sales and marketing", "5,679", "5,379", "6 %"),
        )
    )
    question = "By what percentage did research and development change?"
    assert best(reader.read(question, [growth])) == "19% (Research and development, Percentage Change)"
    assert best(reader.read("How much was spent on research and development in 2023?", [growth])).startswith("$6,844")


MEASURES = hit(
    table(
        ("Performance Measure", "FY 2014 Results", "FY 2015 Results", "FY 2015 Target", "Met/ Not Met"),
        ("Percent of claims processed accurately", "92%", "93%", "95%", "Not Met"),
        ("Average days to close a case", "30", "58", "≤ 40", "Not Met"),
    )
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What percent of claims were processed accurately in FY 2015?", "93%"),
        ("What was the FY 2015 target for the percent of claims processed accurately?", "95%"),
        ("How many days did it take on average to close a case in FY 2014?", "30"),
        ("Was the target for average days to close a case met in FY 2015?", "Not Met"),
    ],
)
def test_results_and_targets_are_told_apart(reader: ExtractiveReader, question: str, answer: str) -> None:
    assert best(reader.read(question, [MEASURES])).startswith(f"{answer} (")


FORM = hit(
    table(
        ("Crew Injuries:", "1 Fatal", "Aircraft Damage:", "Destroyed"),
        ("Passenger Injuries:", "N/A", "Aircraft Fire:", "None"),
        ("Runway Length/Width:", "1500 ft / 75 ft", "Runway Surface:", "Grass/turf"),
        ("Operator:", "MVP Aero Academy", "Age:", "85, Male"),
    )
)


@pytest.mark.parametrize(
    ("question", "answer", "place"),
    [
        ("What was the damage to the aircraft?", "Destroyed (Aircraft Damage)", (0, 3)),
        ("What were the injuries of the crew?", "1 Fatal (Crew Injuries)", (0, 1)),
        ("How long was the runway?", "1500 ft / 75 ft (Runway Length/Width)", (2, 1)),
        ("Who was the operator?", "MVP Aero Academy (Operator)", (3, 1)),
        ("How old was the pilot?", "85, Male (Age)", (3, 3)),
    ],
)
def test_a_form_of_keys_and_entries_is_read(
    reader: ExtractiveReader, question: str, answer: str, place: tuple[int, int]
) -> None:
    [first, *_] = reader.read(question, [FORM])
    assert (first.text, first.bbox) == (answer, box(*place))


def test_a_table_of_words_answers_with_a_cell(reader: ExtractiveReader) -> None:
    words = hit(
        table(
            ("Performance Measure", "Collaborative Management Score"),
            ("Definition", "Employees who answered positively divided by all who answered"),
            ("Data Source", "Federal Employee Viewpoint Survey"),
            ("Frequency", "Annually"),
        )
    )
    question = "What is the data source of the Collaborative Management Score?"
    assert best(reader.read(question, [words])) == (
        "Federal Employee Viewpoint Survey (Data Source, Collaborative Management Score)"
    )


def test_a_table_that_goes_on_takes_the_columns_of_its_first_part(reader: ExtractiveReader) -> None:
    first = table(("State", "Graduates, %", "Urban, %"), ("Alabama", "82.1", "55.4"), key="first")
    rest = table(("Montana", "90.8", "26.5"), ("Nebraska", "89.8", "53.8"), header=0, key="rest")
    question = "What percentage were graduates in Montana?"
    assert best(reader.read(question, [hit(rest), hit(first)])) == "90.8% (Montana, Graduates, %)"


def test_a_year_that_labels_a_row_is_a_period(reader: ExtractiveReader) -> None:
    seas = hit(table(("Year", "Nov", "Dec"), ("1981", "22.29", "22.60"), ("1982", "24.57", "25.89")))
    assert best(reader.read("What was the temperature in December 1982?", [seas])) == "25.89 (1982, Dec)"


SEGMENTS = hit(
    table(
        ("", "2022"),
        ("Net sales by segment:", ""),
        ("Americas", "$ 37,472"),
        ("Europe", "19,287"),
        ("Japan", "5,446"),
        ("Total net sales", "$ 62,205"),
    )
)


def test_the_largest_of_several_is_found_by_comparing_them(reader: ExtractiveReader) -> None:
    [first, *_] = reader.read("Which segment had the highest net sales in 2022?", [SEGMENTS])
    assert first.text == "Americas: $37,472 (the highest of 3, Net sales by segment 2022)"
    assert first.bbox == box(2, 1)
    assert best(reader.read("Which segment had the lowest net sales in 2022?", [SEGMENTS])).startswith("Japan: $5,446")


def test_each_of_a_kind_is_listed(reader: ExtractiveReader) -> None:
    found = best(reader.read("What net sales did each segment have in 2022?", [SEGMENTS]))
    assert found == "Americas: $37,472; Europe: $19,287; Japan: $5,446 (Net sales by segment, 2022)"


# Sentences, lists and figures


ANALYSIS = hit(
    text(
        "The growth in research and development expense was driven primarily by increases in headcount. "
        "The Company repurchased $18.0 billion of its common stock during the third quarter. "
        "The U.S. Treasury was paid in full. This was due to a settlement reached in May 2021."
    )
)


def test_why_is_answered_by_the_sentence_that_gives_the_reason(reader: ExtractiveReader) -> None:
    found = best(reader.read("Why did research and development expense grow?", [ANALYSIS]))
    assert found == ("The growth in research and development expense was driven primarily by increases in headcount.")


def test_a_number_in_prose_is_answered_by_its_sentence_boxed_by_its_element(reader: ExtractiveReader) -> None:
    [first, *_] = reader.read("How much common stock did the company repurchase?", [ANALYSIS])
    assert first.text == "The Company repurchased $18.0 billion of its common stock during the third quarter."
    assert first.bbox == first.element.bbox == (50.0, 100.0, 550.0, 140.0)


def test_a_sentence_that_points_back_brings_the_one_before(reader: ExtractiveReader) -> None:
    assert best(reader.read("Which settlement was reached in May 2021?", [ANALYSIS])) == (
        "The U.S. Treasury was paid in full. This was due to a settlement reached in May 2021."
    )


def test_a_rise_does_not_answer_why_something_fell(reader: ExtractiveReader) -> None:
    both = hit(
        text("Revenue was $232 million, up $175 million due to higher packaging revenue.", "up"),
        text("Revenue was $1.4 billion, down $847 million as customers tempered purchases.", "down"),
    )
    assert "tempered purchases" in best(reader.read("Why did revenue fall?", [both]))


def test_prose_and_table_compete_and_the_question_decides(reader: ExtractiveReader) -> None:
    why = text("Gross margin increased due primarily to higher services net sales.", "why")
    hits = [STATEMENT, hit(why, document="2022 Q3 AAPL.pdf", context=STATEMENT.chunk.context)]
    assert best(reader.read("Why did Apple's gross margin increase in Q3 2022?", hits)) == why.text
    assert best(reader.read("What was Apple's gross margin in Q3 2022?", hits)).startswith("$35,885 million")


def test_a_list_is_told_with_the_line_that_leads_to_it(reader: ExtractiveReader) -> None:
    goals = hit(
        text("We manage our business through the following operating segments:", "lead", y=100),
        text("• Client Computing", "one", ElementType.LIST, y=140),
        text("• Network and Edge", "two", ElementType.LIST, y=180),
    )
    [first, *_] = reader.read("What are the operating segments?", [goals])
    assert first.text == (
        "We manage our business through the following operating segments: • Client Computing • Network and Edge"
    )
    assert first.bbox == (50.0, 100.0, 550.0, 220.0)


def test_a_figure_answers_with_its_words_under_its_caption(reader: ExtractiveReader) -> None:
    figure = text("1700 1800 1900 2000 Sunspot number Peak 1957: 190.2", "figure", ElementType.FIGURE)
    caption = text("Figure 3. Yearly sunspot numbers.", "caption", ElementType.CAPTION, y=150)
    [first, *_] = reader.read("When did the sunspot number peak?", [hit(figure, caption)])
    assert first.text == 'Figure 3 shows: "Sunspot number Peak 1957: 190.2" (Figure 3. Yearly sunspot numbers.)'
    assert first.bbox == figure.bbox


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("1700 1800 1900 2000 0 25 50 75 Peak 190.2", "Peak 190.2"),
        ("0 1,000 2,000 3,000 Net sales 412", "Net sales 412"),
        ("12 15 11 20 Visits", "12 15 11 20 Visits"),  # bars' own values
        ("2020 2021 2022 12.5", "2020 2021 2022 12.5"),  # too few to tell
        ("25% 50% 75% 100% of the staff", "25% 50% 75% 100% of the staff"),
        ("", ""),
    ],
)
def test_the_ticks_of_a_figure_s_axes_are_not_quoted(words: str, left: str) -> None:
    assert without_ticks(words) == left


# Findings


def test_nothing_is_found_where_nothing_fits(reader: ExtractiveReader) -> None:
    assert reader.read("Who won the football World Cup in 2010?", [ANALYSIS, FORM]) == []
    assert reader.read("Who won?", []) == []


def test_findings_come_best_first_with_scores_between_0_and_1(reader: ExtractiveReader) -> None:
    scores = [finding.score for finding in reader.read("What were Apple's total net sales in Q3 2022?", [STATEMENT])]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert len(scores) > 1


def test_reading_is_repeatable(reader: ExtractiveReader) -> None:
    question = "What was Apple's gross margin in Q3 2022?"
    assert reader.read(question, [STATEMENT, ANALYSIS]) == reader.read(question, [STATEMENT, ANALYSIS])


def test_any_langchain_embeddings_will_do() -> None:
    class Letters:
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[1.0 + words.lower().count(letter) for letter in "aeiou"] for words in texts]

    found = ExtractiveReader(Letters()).read("What was the damage to the aircraft?", [FORM])
    assert best(found) == "Destroyed (Aircraft Damage)"


# What it is made of


@pytest.mark.parametrize(
    ("words", "period"),
    [
        ("Three Months Ended June 25, 2022", Period({2022}, set(), {3}, {(2022, 6, 25)})),
        ("2022 Q3 AAPL", Period({2022}, {3}, {3}, set())),
        ("the third quarter of fiscal year 2024", Period({2024}, {3}, {3}, set())),
        ("as of December 31, 2022", Period({2022}, set(), {0}, {(2022, 12, 31)})),
        ("FY 2014 Results", Period({2014}, set(), {12}, set())),
        ("DHS2020", Period({2020}, set(), set(), set())),
        ("20080104X00020", Period(set(), set(), set(), set())),
        ("sales of $2,022 and 2022 units sold at 20.22", Period({2022}, set(), set(), set())),
    ],
)
def test_periods_are_found(words: str, period: Period) -> None:
    assert find(words) == period


def test_periods_agree_contradict_or_say_nothing_of_each_other() -> None:
    asked = find("the third quarter of 2022")
    assert agreement(asked, find("Three Months Ended June 25, 2022")) == 1
    assert agreement(asked, find("Nine Months Ended June 25, 2022")) == -1
    assert agreement(asked, find("Three Months Ended June 26, 2021")) == -1
    assert agreement(asked, find("Percentage Change")) == 0


def test_the_current_period_is_the_newest_column() -> None:
    columns = [find("December 25, 2021"), find("December 31, 2022")]
    assert current(find("Q1 2023"), columns) == Period({2022}, set(), {3}, {(2022, 12, 31)})


def test_a_question_is_taken_apart() -> None:
    question = understand("Answer in USD. Using the filing: which engine model did the Piper PA-28 have?")
    assert question.text == "which engine model did the Piper PA-28 have?"
    assert question.focus == {"engin", "model"}
    assert question.names == {"piper", "pa-28"}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("How many people were hurt?", {Want.NUMBER}),
        ("What percentage of claims were paid late?", {Want.PERCENT, Want.MONEY}),
        ("When did it happen?", {Want.DATE}),
        ("Who was the director?", {Want.PERSON}),
        ("Where did the flight begin?", {Want.PLACE}),
        ("Why did it fall?", {Want.REASON}),
        ("Was the target met?", {Want.VERDICT}),
    ],
)
def test_a_question_tells_what_would_answer_it(words: str, wanted: set[Want]) -> None:
    assert understand(words).wants == wanted


def test_initials_and_what_they_stand_for_are_the_same_word() -> None:
    assert "r&d" in found(understand("What was R&D expenditure?"), "Research and development")
    assert found(understand("What did research and development cost?"), "Total R&D") == {"research", "develop"}


@pytest.mark.parametrize(
    ("label", "header", "value", "unit", "told"),
    [
        ("Total net sales", "2022", "82,959", "(In millions)", "$82,959 million"),
        ("Other income, net", "2022", "(10)", "(In millions)", "$(10) million"),
        ("Effective tax rate", "2022", "15.7 %", "(In millions)", "15.7%"),
        ("Net income per share", "2022", "$ 1.20", "(In millions, except per share data)", "$1.20"),
        (
            "Shares used",
            "2022",
            "16,162,945",
            "(In millions, except number of shares in thousands)",
            "16,162,945 thousand",
        ),
        ("Montana", "Share of people, %", "90.8", "", "90.8%"),
        ("1982", "Population, million", "232.5", "$ billion", "232.5 million"),
        ("Age", "", "85, Male", "(In millions)", "85, Male"),
    ],
)
def test_a_value_takes_the_sign_and_scale_of_its_table(
    label: str, header: str, value: str, unit: str, told: str
) -> None:
    assert quantity(Cell(1, 1, label, header, value, None), unit, money=True) == told


def test_a_header_in_the_middle_of_its_columns_names_them_all() -> None:
    income = table(
        ("", "", "Three Months", "", "", "", "Six Months", "", ""),
        ("", "2023", "2022", "$ Change", "% Change", "2023", "2022", "$ Change", "% Change"),
        ("Revenue", "$ 4", "$ 3", "$ 1", "33 %", "$ 8", "$ 6", "$ 2", "33 %"),
        header=2,
        spans=(Span(0, 2, 1, 2), Span(0, 6, 1, 2)),
    ).table
    assert income is not None
    names = column_names(income)
    assert names[1] == "Three Months 2023"
    assert names[4] == "Three Months % Change"
    assert names[5] == "Six Months 2023"


def test_where_no_hit_was_kept_nothing_is_found(reader: ExtractiveReader) -> None:
    assert reader.read("Which protein does the gene TP53 encode?", []) == []
