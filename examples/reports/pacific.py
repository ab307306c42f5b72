"""Sea surface temperatures in the eastern Pacific since 1950: one column, a table of 61 years and 12 months."""

from __future__ import annotations

from calendar import month_abbr, month_name
from functools import cache

import numpy as np
import pandas as pd
from charts import raster, say, sheet, vector
from flowables import COLUMN, WIDTH, Chart, Data, Heading, Side, body, spelled, table, title_block
from ledger import Ledger, Question, Report
from statsmodels.datasets import elnino

ACCENT, WARM = "#1d6f78", "#c0562f"
MONTHS, NAMES = list(month_abbr[1:]), list(month_name[1:])


@cache
def temperatures() -> pd.DataFrame:
    """Degrees Celsius, a row a year, a column a month."""
    frame = elnino.load_pandas().data
    frame.index = frame.pop("YEAR").astype(int)
    frame.columns = MONTHS
    return frame


@cache
def departures() -> pd.DataFrame:
    """Degrees Celsius above the mean of the same month over the whole record."""
    frame = temperatures()
    return frame - frame.mean()


@cache
def series() -> pd.Series[float]:
    """The departures in order of time, by decimal year."""
    frame = departures()
    when = [year + month / 12 for year in frame.index for month in range(12)]
    return pd.Series(frame.to_numpy().ravel(), index=when)


def warmest_words() -> str:
    """The words inside the chart of departures that stand nowhere else."""
    when = float(series().idxmax())
    return f"{NAMES[round(when % 1 * 12)]} {int(when)}: {series().max():.1f} degrees above normal"


@cache
def heat_chart() -> bytes:
    frame = temperatures()
    figure, axes = sheet(WIDTH, 190, grid="none")
    picture = axes.imshow(frame.T, aspect="auto", cmap="RdYlBu_r", interpolation="nearest")
    axes.set_yticks(range(12), MONTHS)
    axes.set_xticks(range(0, len(frame), 10), [str(year) for year in frame.index[::10]])
    bar = figure.colorbar(picture, ax=axes, pad=0.015, aspect=18)
    bar.outline.set_visible(False)
    bar.set_label("Degrees Celsius")
    return vector(figure)


@cache
def departure_chart() -> bytes:
    data = series()
    figure, axes = sheet(WIDTH, 150)
    axes.fill_between(data.index, data.clip(lower=0), color=WARM, linewidth=0)
    axes.fill_between(data.index, data.clip(upper=0), color=ACCENT, linewidth=0)
    when = float(data.idxmax())
    say(axes, warmest_words(), (when, data.max()), (when - 3, data.max() - 0.1), side="right")
    axes.set_ylabel("Degrees Celsius from normal")
    axes.set_xlim(1949.5, 2011.5)
    axes.set_ylim(-3.2, 5)
    return vector(figure)


@cache
def season_chart() -> bytes:
    frame = temperatures()
    figure, axes = sheet(COLUMN, 128)
    axes.fill_between(range(12), frame.min(), frame.max(), color=ACCENT, alpha=0.16, linewidth=0)
    axes.plot(range(12), frame.mean(), color=ACCENT, marker="o", markersize=3)
    axes.set_xticks(range(0, 12, 2), MONTHS[::2])
    axes.set_ylabel("Degrees Celsius")
    return vector(figure)


@cache
def decade_chart() -> bytes:
    annual = departures().mean(axis=1)
    means = annual.groupby(annual.index // 10 * 10).mean().loc[:2000]
    figure, axes = sheet(COLUMN, 128)
    bars = axes.bar(
        [f"{decade}s" for decade in means.index], means, color=[WARM if mean > 0 else ACCENT for mean in means]
    )
    axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=7.5)
    axes.axhline(0, color="#667078", linewidth=0.6)
    axes.margins(y=0.15)
    axes.set_ylabel("Degrees Celsius from normal")
    return vector(figure)


def season_table() -> Data:
    frame = temperatures()
    rows = [
        [
            "Month",
            "Mean,\n°C",
            "Standard\ndeviation, °C",
            "Lowest,\n°C",
            "Year of\nthe lowest",
            "Highest,\n°C",
            "Year of\nthe highest",
        ]
    ]
    for name, month in zip(NAMES, MONTHS, strict=True):
        column = frame[month]
        rows.append(
            [
                name,
                f"{column.mean():.2f}",
                f"{column.std():.2f}",
                f"{column.min():.2f}",
                str(column.idxmin()),
                f"{column.max():.2f}",
                str(column.idxmax()),
            ]
        )
    return Data("Table 1", "The months of the year: sea surface temperature over the whole record.", rows)


def extremes_table() -> Data:
    annual = departures().mean(axis=1)
    warm, cold = annual.nlargest(6), annual.nsmallest(6)
    rows = [["Rank", "Warmest years", "", "Coldest years", ""], ["", "Year", "Departure, °C", "Year", "Departure, °C"]]
    for rank in range(6):
        rows.append(
            [
                str(rank + 1),
                str(warm.index[rank]),
                f"{warm.iloc[rank]:+.2f}",
                str(cold.index[rank]),
                f"{cold.iloc[rank]:+.2f}",
            ]
        )
    caption = "Warmest and coldest years, by the mean departure of their twelve months from normal."
    return Data("Table 2", caption, rows, heads=2, spans=((0, 1, 2), (0, 3, 4)))


def record_table() -> Data:
    rows = [["Year", *MONTHS]]
    rows += [
        [str(year), *(f"{value:.2f}" for value in row)]
        for year, row in zip(temperatures().index, temperatures().to_numpy(), strict=True)
    ]
    return Data("Table 3", "Sea surface temperature by month, degrees Celsius.", rows)


def spells(level: float, least: int) -> list[tuple[float, int]]:
    """Runs of at least so many months above a departure: first month as a decimal year, and number of months."""
    found, run = [], 0
    data = series()
    for place, value in enumerate([*data, -99.0]):
        if value > level:
            run += 1
            continue
        if run >= least:
            found.append((float(data.index[place - run]), run))
        run = 0
    return found


def make(ledger: Ledger) -> Report:
    """The report, with page references as the ledger of the last setting knows them."""
    frame, off, line = temperatures(), departures(), series()
    means = frame.mean()
    annual = off.mean(axis=1)
    decades = annual.groupby(annual.index // 10 * 10).mean()
    hot = spells(1.0, 6)
    long_start, long_run = max(hot, key=lambda spell: spell[1])
    warm = NAMES[MONTHS.index(str(means.idxmax()))]
    cool = NAMES[MONTHS.index(str(means.idxmin()))]
    spread = off.std()
    starts = sorted({int(start) for start, _ in hot})
    early, late = line[line.index < 1980], line[line.index >= 1980]
    keep = float(np.corrcoef(line.iloc[:-1], line.iloc[1:])[0, 1])
    half = float(np.corrcoef(line.iloc[:-6], line.iloc[6:])[0, 1])
    trend = float(np.polyfit(annual.index.to_numpy(dtype=float), annual.to_numpy(), 1)[0])
    story = [
        *title_block(
            "The sea off Peru and Ecuador",
            f"Monthly sea surface temperature in the eastern Pacific, {frame.index[0]} to {frame.index[-1]}",
            f"""Where the cold Humboldt current meets the equator, the sea warms and cools with the seasons, and every
            few years with El Niño. This report gives {frame.size} monthly temperatures of the region Niño 1+2,
            describes the year as it normally runs, and dates the months that were not normal.""",
            3,
            ACCENT,
        ),
        Heading("1 The seasons", ACCENT),
        Heading("1.1 The normal year", ACCENT),
        body(f"""The sea is warmest in {warm}, at {means.max():.1f}&nbsp;°C on average, and coolest in {cool}, at
            {means.min():.1f}&nbsp;°C. Figure 1 shows every month of the record as a coloured cell; the warm season is
            the band of red at the turn from southern summer to autumn, and the warm events are the years in which the
            band is wider than usual. The mean over all months is {frame.to_numpy().mean():.2f}&nbsp;°C."""),
        Chart(
            "Figure 1",
            "Sea surface temperature of every month, by year (across) and month (down).",
            heat_chart(),
            (WIDTH, 190),
            raster=raster(heat_chart()),
            above=True,
        ),
        body(f"""The mean of each month, with its lowest and its highest value, is given in Table 1. The months are not
            equally steady: departures from normal are widest in {NAMES[MONTHS.index(str(spread.idxmax()))]}, with a
            standard deviation of {spread.max():.2f}&nbsp;°C, and narrowest in
            {NAMES[MONTHS.index(str(spread.idxmin()))]}, with {spread.min():.2f}&nbsp;°C. All the highest values fall
            into {spelled(frame.idxmax().nunique())} years, while the lowest are spread over
            {spelled(frame.idxmin().nunique())}."""),
        table(season_table(), [80, 60, 75, 60, 70, 60, 75], WIDTH, look="ruled", accent=ACCENT),
        Heading("1.2 From month to month", ACCENT),
        body(f"""Warmth lasts. The departure of one month from normal has a correlation of {keep:.2f} with that of the
            next month and still of {half:.2f} with that of the month half a year later. Whoever knows the sea of today
            therefore knows much of next month's and little of next year's. The range between the lowest and the highest
            value of each month, and the mean, are drawn in Figure 2."""),
        Side(
            Chart(
                "Figure 2",
                "The normal year: mean of each month, and the range from lowest to highest.",
                season_chart(),
                (COLUMN, 128),
                raster=raster(season_chart()),
            ),
            Chart(
                "Figure 3",
                "Mean departure from normal, by decade.",
                decade_chart(),
                (COLUMN, 128),
                raster=raster(decade_chart()),
            ),
        ),
        Heading("2 Warm and cold events", ACCENT),
        Heading("2.1 Departures from normal", ACCENT),
        body(f"""Figure 4 sets every month against the mean of the same calendar month. Warm departures are rarer and
            larger than cold ones: {(line > 0).mean() * 100:.0f} per cent of all months are warmer than normal, but
            {(line > 2).sum()} months are warmer by more than two degrees and only {spelled(int((line < -2).sum()))}
            colder by as much."""),
        Chart(
            "Figure 4",
            "Departure of every month from the mean of the same calendar month.",
            departure_chart(),
            (WIDTH, 150),
        ),
        body(f"""The record has {spelled(len(hot))} spells of six months or more in which every month was at least one
            degree above normal; they began in {", ".join(map(str, starts[:-1]))} and {starts[-1]}. The longest began in
            {NAMES[round(long_start % 1 * 12)]} {int(long_start)} and lasted {long_run} months. Table 2 ranks whole
            years."""),
        table(extremes_table(), [50, 80, 100, 80, 100], 380, look="grid", accent=ACCENT),
        Heading("2.2 Decades", ACCENT),
        body(f"""By decades the sea was coolest in the {decades.idxmin()}s, at {-decades.min():.2f}&nbsp;°C below
            normal, and warmest in the {decades.loc[:2000].idxmax()}s (Figure 3). The mean departure before 1980 was
            {-early.mean():.2f}&nbsp;°C below normal, that from 1980 on {late.mean():.2f}&nbsp;°C above. A straight line
            through the annual means rises by {trend * 10:.2f}&nbsp;°C a decade, but single events move the sea far more
            than this."""),
        Heading("3 The monthly record", ACCENT),
        body(f"""Table 3 gives all temperatures; it ends on page {ledger.pages}. The region Niño 1+2 reaches from the
            coast to 90 degrees west, and from the equator to 10 degrees south."""),
        table(record_table(), [34, *[37.5] * 12], WIDTH, look="plain", accent=ACCENT, size=7.4, pad=2.2),
        Heading("4 About the data", ACCENT),
        body("""The temperatures are those of the Extended Reconstructed Sea Surface Temperature, version 3b, published
            by the Climate Prediction Center of the National Weather Service. Normal means the average of the same
            calendar month over the whole record, and not over a reference period of thirty years."""),
    ]
    return Report(
        name="pacific-temperatures.pdf",
        title="The sea off Peru and Ecuador",
        subtitle="Monthly sea surface temperature in the eastern Pacific",
        source="National Oceanic and Atmospheric Administration, ERSST v3b, Niño 1+2",
        accent=ACCENT,
        story=story,
        questions=[
            Question(
                "How warm was the sea off Peru and Ecuador (Niño 1+2) in December 1982?",
                f"{frame['Dec'][1982]:.2f} degrees Celsius.",
                "table",
                ("Table 3", "1982"),
            ),
            Question(
                "In which month was the sea off Peru and Ecuador furthest above its normal temperature, and how far?",
                f"{warmest_words().replace(':', ', at').replace('degrees', 'degrees Celsius')}.",
                "figure",
                ("Figure 4", warmest_words()),
            ),
            Question(
                "When did the longest warm spell in the sea off Peru and Ecuador begin, and how long did it last?",
                f"It began in {NAMES[round(long_start % 1 * 12)]} {int(long_start)} and lasted {long_run} months.",
                "text",
                (f"lasted {long_run} months",),
            ),
        ],
    )
