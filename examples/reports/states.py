"""Crime, schooling and poverty in the states: two columns, footnotes, a table of 51 rows, correlations in charts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from charts import INK, raster, sheet, vector
from flowables import COLUMN, WIDTH, Chart, Columns, Data, Heading, Side, body, spelled, table, title_block
from ledger import Ledger, Question, Report
from statsmodels.datasets import statecrime

ACCENT, SECOND = "#7a2e3a", "#4a6076"
CAPITAL = "District of Columbia"


@cache
def states() -> pd.DataFrame:
    """Rates for the 50 states and the District of Columbia, by name."""
    frame = statecrime.load_pandas().data
    frame.index = frame.index.str.strip()
    return frame


def link(one: str, other: str) -> float:
    """The correlation of two columns over the 50 states, without the capital, which is a city."""
    frame = states().drop(CAPITAL)
    return float(np.corrcoef(frame[one], frame[other])[0, 1])


def link_words(one: str, other: str) -> str:
    """The words inside a scatter chart that stand nowhere else."""
    return f"Correlation {link(one, other):.2f}"


@cache
def violence_chart() -> bytes:
    top = states()["violent"].drop(CAPITAL).nlargest(12)[::-1]
    figure, axes = sheet(WIDTH, 250, grid="x")
    bars = axes.barh(top.index, top, color=ACCENT, height=0.66)
    axes.bar_label(bars, fmt="%.0f", padding=3, fontsize=7.5)
    axes.axvline(states()["violent"].median(), color=SECOND, linewidth=1, linestyle=(0, (4, 3)))
    axes.text(states()["violent"].median() + 5, 11.75, "median of all", color=SECOND, va="center")
    axes.set_xlabel("Violent crimes per 100,000 people")
    axes.tick_params(axis="y", colors=INK)
    return vector(figure)


def scatter(
    one: str, other: str, across: str, up: str, names: dict[str, tuple[float, float]], corner: tuple[float, float]
) -> bytes:
    """Two columns against each other, with the correlation in a corner (axes fractions).

    `names` are the states to name, each with the offset of its name from its dot in points.
    """
    frame = states().drop(CAPITAL)
    figure, axes = sheet(COLUMN, 160)
    axes.plot(frame[one], frame[other], "o", color=SECOND, markersize=3.6, alpha=0.75, markeredgewidth=0)
    slope, level = np.polyfit(frame[one], frame[other], 1)
    ends = np.array([frame[one].min(), frame[one].max()])
    axes.plot(ends, slope * ends + level, color=ACCENT, linewidth=1.1)
    for name, offset in names.items():
        axes.annotate(name, (frame[one][name], frame[other][name]), offset, textcoords="offset points", fontsize=7)
    axes.text(*corner, link_words(one, other), transform=axes.transAxes, fontweight="bold", fontsize=8).set_bbox(
        {"color": "white", "pad": 1.5}
    )
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.margins(x=0.08, y=0.09)
    return vector(figure)


@cache
def family_chart() -> bytes:
    across, up = "Families with a single householder, %", "Murders per 100,000 people"
    return scatter("single", "murder", across, up, {"Louisiana": (-36, -2), "Mississippi": (-20, -9)}, (0.04, 0.9))


@cache
def school_chart() -> bytes:
    return scatter(
        "hs_grad",
        "poverty",
        "High school graduates, %",
        "Below the poverty line, %",
        {"Texas": (-4, -9), "Mississippi": (5, -2)},
        (0.5, 0.9),
    )


def summary_table() -> Data:
    frame = states()
    labels = {
        "violent": "Violent crimes*",
        "murder": "Murders*",
        "hs_grad": "High school graduates, %",
        "poverty": "Below poverty line, %",
        "single": "Single householders, %",
        "urban": "In urbanized areas, %",
    }
    rows = [["Measure", "Lowest", "Median", "Highest"]]
    for key, label in labels.items():
        column = frame[key]
        rows.append([label, f"{column.min():.1f}", f"{column.median():.1f}", f"{column.max():.1f}"])
    return Data(
        "Table 1",
        "Six measures of the states.",
        rows,
        note="* Per 100,000 people. The District of Columbia is counted.",
    )


def record_table() -> Data:
    rows = [
        ["State", "Crime per 100,000 people", "", "Share of people or families, %", "", "", ""],
        [
            "",
            "Violent",
            "Murder",
            "High school\ngraduates",
            "Below the\npoverty line",
            "Single\nhouseholder",
            "Urbanized\nareas",
        ],
    ]
    for name, row in states().iterrows():
        rows.append(
            [
                str(name),
                f"{row['violent']:,.1f}",
                f"{row['murder']:.1f}",
                f"{row['hs_grad']:.1f}",
                f"{row['poverty']:.1f}",
                f"{row['single']:.1f}",
                f"{row['urban']:.1f}",
            ]
        )
    caption = "Crime, schooling, poverty and families in the 50 states and the District of Columbia, 2009."
    return Data("Table 2", caption, rows, heads=2, spans=((0, 1, 2), (0, 3, 6)))


def make(ledger: Ledger) -> Report:
    """The report, with page references as the ledger of the last setting knows them."""
    frame = states()
    rest = frame.drop(CAPITAL)
    high, low = rest["murder"].nlargest(3), rest["murder"].nsmallest(3)
    capital = frame.loc[CAPITAL]
    ratio = high.iloc[0] / low.iloc[0]
    violent = rest["violent"]
    quarter = int(np.ceil(len(rest) / 4))
    poor, rich = rest.nlargest(quarter, "poverty"), rest.nsmallest(quarter, "poverty")
    graduates = frame["hs_grad"]
    below = graduates[graduates < 82]
    gap = f"{poor['violent'].mean():.0f} violent crimes per 100,000 people against {rich['violent'].mean():.0f}"
    social = {
        "hs_grad": "schooling",
        "poverty": "poverty",
        "single": "the share of families with a single householder",
        "urban": "city life",
    }
    closest = social[max(social, key=lambda key: abs(link(key, "murder")))]
    urban = rest["urban"]
    text = [
        Heading("1 The states at a glance", ACCENT),
        body(f"""The states differ far more in crime than in schooling. Between the lowest and the highest rate of
            murder lies a factor of {frame["murder"].max() / frame["murder"].min():.0f}, but even in the state with the
            fewest graduates {graduates.min():.1f} per cent of the people have finished high school (Table 1). All rates
            are for 2009, and each state is listed in Table 2 (see page {ledger.page_of("Table 2")})."""),
        table(summary_table(), [98, 40, 42, 44], COLUMN, look="grid", accent=ACCENT),
        Heading("2 Crime", ACCENT),
        Heading("2.1 Murder", ACCENT),
        body(f"""{high.index[0]} has the highest rate of murder of the fifty states, {high.iloc[0]:.1f} per 100,000
            people, followed by {high.index[1]} ({high.iloc[1]:.1f}) and {high.index[2]} ({high.iloc[2]:.1f}). The
            lowest rates are those of {low.index[0]} ({low.iloc[0]:.1f}), {low.index[1]} and {low.index[2]} (both
            {low.iloc[2]:.1f}). {high.index[0]}'s rate is {ratio:.0f} times that of {low.index[0]}. The capital, which
            is a city and no state<super size='7'>1</super>, stands above them all with {capital["murder"]:.1f}."""),
        Heading("2.2 Violent crime", ACCENT),
        body(f"""Violent crime takes in murder, forcible rape<super size='7'>2</super>, robbery and aggravated assault.
            The median state has {violent.median():.0f} such crimes per 100,000 people;
            {spelled(int((violent > 600).sum()))} states have more than 600, and {violent.idxmin()} has the fewest,
            {violent.min():.1f}. Figure 1 shows the twelve states with the most, of which
            {spelled(int((violent.nlargest(12) > 1.5 * violent.median()).sum()))} exceed the median by half or
            more."""),
    ]
    life = [
        Heading("3 Schooling and poverty", ACCENT),
        Heading("3.1 Schooling", ACCENT),
        body(f"""In {spelled(int((graduates > 90).sum()))} states more than nine in ten people have finished high
            school. {graduates.idxmax()} leads with {graduates.max():.1f} per cent. Below 82 per cent are
            {", ".join(below.index[:-1])} and {below.index[-1]}. Figure 3 sets the share of graduates against that of
            people below the poverty line: where fewer have finished school, more are poor."""),
        Heading("3.2 Poverty", ACCENT),
        body(f"""The poverty rate runs from {rest["poverty"].min():.1f} per cent in {rest["poverty"].idxmin()} to
            {rest["poverty"].max():.1f} in {rest["poverty"].idxmax()}. The quarter of the states with the most poverty
            had, on average, {gap} in the quarter with the least. The murder rates of the two groups are
            {poor["murder"].mean():.1f} and {rich["murder"].mean():.1f}."""),
        Heading("3.3 Families and cities", ACCENT),
        body(f"""Of the social measures in this report, {closest} goes most closely with the rate of murder (Figure 2).
            It is {rest["single"].min():.1f} per cent in {rest["single"].idxmin()} and {rest["single"].max():.1f} per
            cent in {rest["single"].idxmax()}. That two rates rise together does not make one the cause of the
            other."""),
        body(f"""City life alone explains little. The {quarter} most urban states have a mean murder rate of
            {rest.nlargest(quarter, "urban")["murder"].mean():.1f}, the {quarter} least urban
            {rest.nsmallest(quarter, "urban")["murder"].mean():.1f}. {urban.idxmin()} is the least urban state, with
            {urban.min():.1f} per cent of its people in urbanized areas, and {urban.idxmax()} the most urban, with
            {urban.max():.1f}."""),
        Heading("4 About the data", ACCENT),
        body("""The figures come from the Statistical Abstract of the United States, except for the shares of families,
            which were computed from the American Community Survey, and the shares in urbanized areas, which are those
            of the census of 2010. An urbanized area has fifty thousand people or more. Means over groups of states give
            every state the same weight, whatever its population."""),
    ]
    story = [
        *title_block(
            "Crime, schooling and poverty in the states",
            "Rates for the fifty states and the District of Columbia, 2009",
            f"""Rates of murder differ {ratio:.0f}-fold between the states of the union, and rates of poverty
            {rest["poverty"].max() / rest["poverty"].min():.1f}-fold. This report sets crime beside schooling, poverty
            and families, and closes with the figures of every state.""",
            4,
            ACCENT,
        ),
        Columns(text),
        Chart(
            "Figure 1",
            "Violent crimes per 100,000 people: the twelve states with the most.",
            violence_chart(),
            (WIDTH, 250),
            raster=raster(violence_chart()),
        ),
        Columns(life),
        Side(
            Chart(
                "Figure 2",
                "Families with a single householder and murder; a dot is a state.",
                family_chart(),
                (COLUMN, 160),
            ),
            Chart("Figure 3", "High school graduates and poverty; a dot is a state.", school_chart(), (COLUMN, 160)),
        ),
        Heading("5 The states one by one", ACCENT),
        body("""Table 2 lists the states in alphabetical order. Shares of families refer to all family households;
            graduates are people who have completed high school or more."""),
        table(record_table(), [112, 56, 50, 66, 66, 66, 66], WIDTH, look="ruled", accent=ACCENT, pad=2.3),
    ]
    montana = frame.loc["Montana"]
    return Report(
        name="states-crime-schooling.pdf",
        title="Crime, schooling and poverty in the states",
        subtitle="Rates for the fifty states and the District of Columbia, 2009",
        source="Statistical Abstract of the United States; American Community Survey",
        accent=ACCENT,
        story=story,
        notes={
            1: [
                "<super size='7'>1</super> The District of Columbia is listed with the states but left out of "
                "comparisons between them, here and below.",
                "<super size='7'>2</super> The violent crimes of Illinois and Minnesota do not include forcible "
                "rape, since the way in which both states collected it did not follow the national guidelines.",
            ]
        },
        questions=[
            Question(
                "What percentage of people in Montana had finished high school in 2009?",
                f"{montana['hs_grad']:.1f} per cent.",
                "table",
                ("Table 2", "Montana"),
            ),
            Question(
                "Across the US states in 2009, how strong was the correlation between families with a single "
                "householder and the murder rate?",
                f"{link('single', 'murder'):.2f}.",
                "figure",
                ("Figure 2", link_words("single", "murder")),
            ),
            Question(
                "How did violent crime in 2009 compare between the quarter of US states with the most poverty and "
                "the quarter with the least?",
                f"On average {gap}.",
                "text",
                (gap,),
            ),
        ],
    )
