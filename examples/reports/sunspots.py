"""Yearly sunspot numbers since 1700: two columns; the greatest number of all is said in a vector chart only."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
from charts import raster, say, sheet, vector
from flowables import COLUMN, WIDTH, Chart, Columns, Data, Heading, Side, body, spelled, table, title_block
from ledger import Ledger, Question, Report
from statsmodels.datasets import sunspots
from statsmodels.tsa.stattools import acf

ACCENT, SECOND = "#9a6a14", "#3d4f66"


@cache
def numbers() -> pd.Series[float]:
    """The sunspot number of every year, by year."""
    frame = sunspots.load_pandas().data
    return pd.Series(frame["SUNACTIVITY"].to_numpy(), index=frame["YEAR"].astype(int).to_numpy())


@cache
def cycles() -> pd.DataFrame:
    """Complete cycles from one minimum to the year before the next; numbered so that cycle 1 starts in 1755.

    A minimum is a year that no year within four of it undercuts; of equal neighbours the later counts.
    """
    data = numbers()
    inner = [year for year in data.index if data.index[0] + 2 <= year <= data.index[-1] - 4]
    lows = [year for year in inner if data[year] == data.loc[year - 4 : year + 4].min()]
    lows = [year for year in lows if year + 1 not in lows]
    rows = [
        {
            "start": start,
            "stop": stop - 1,
            "years": stop - start,
            "mean": data.loc[start : stop - 1].mean(),
            "quiet": int((data.loc[start : stop - 1] < 20).sum()),
        }
        for start, stop in pairwise(lows)
    ]
    frame = pd.DataFrame(rows)
    frame.index = pd.Index(range(1 - lows.index(1755), len(frame) + 1 - lows.index(1755)))
    return frame


def peak_words() -> str:
    """The words inside the chart of the whole record that stand nowhere else."""
    return f"Peak {numbers().idxmax()}: {numbers().max():.1f}"


@cache
def record_chart() -> bytes:
    data = numbers()
    figure, axes = sheet(WIDTH, 176)
    axes.fill_between(data.index, data.to_numpy(), color=ACCENT, alpha=0.18, linewidth=0)
    axes.plot(data.index, data.to_numpy(), color=ACCENT, linewidth=1.0)
    say(axes, peak_words(), (data.idxmax(), data.max()), (data.idxmax() - 14, data.max() + 6), side="right")
    axes.set_ylabel("Sunspot number")
    axes.set_xlim(1697, 2011)
    axes.set_ylim(0, 210)
    return vector(figure)


@cache
def length_chart() -> bytes:
    counts = cycles()["years"].value_counts().sort_index()
    figure, axes = sheet(COLUMN, 140)
    bars = axes.bar(counts.index, counts.to_numpy(), color=SECOND, width=0.7)
    axes.bar_label(bars, padding=2, fontsize=7.5)
    axes.set_xticks(counts.index)
    axes.set_xlabel("Years from minimum to minimum")
    axes.set_ylabel("Cycles")
    return vector(figure)


@cache
def strength_chart() -> bytes:
    frame = cycles()
    figure, axes = sheet(COLUMN, 140)
    axes.bar(frame["start"], frame["mean"], width=frame["years"] - 1.2, align="edge", color=ACCENT)
    axes.set_ylabel("Mean sunspot number")
    axes.set_xlabel("Start of the cycle")
    return vector(figure)


@cache
def rhythm_chart() -> bytes:
    values = rhythm()
    figure, axes = sheet(COLUMN, 150)
    axes.vlines(range(len(values)), 0, values, color=SECOND, linewidth=2.2)
    axes.axhline(0, color="#667078", linewidth=0.6)
    axes.set_xlabel("Years between the two counts")
    axes.set_ylabel("Correlation")
    return vector(figure)


@cache
def rhythm() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The autocorrelation of the yearly numbers at lags of 0 to 45 years."""
    return np.asarray(acf(numbers().to_numpy(), nlags=45, fft=False), dtype=np.float64)


def cycle_table() -> Data:
    rows = [["Cycle", "First year", "Last year", "Length,\nyears", "Mean\nnumber", "Years\nbelow 20"]]
    for name, row in cycles().iterrows():
        rows.append(
            [
                f"{name}",
                f"{row['start']:.0f}",
                f"{row['stop']:.0f}",
                f"{row['years']:.0f}",
                f"{row['mean']:.1f}",
                f"{row['quiet']:.0f}",
            ]
        )
    note = "A cycle runs from a minimum to the year before the next. Cycles before 1755 are numbered backwards from 0."
    return Data("Table 2", "The complete sunspot cycles of the record.", rows, note=note)


def spans_table() -> Data:
    data = numbers()
    rows = [["Years", "Mean\nnumber", "Median\nnumber", "Years\nbelow 10", "Years\nabove 100"]]
    for start in range(int(data.index[0]), int(data.index[-1]), 50):
        part = data.loc[start : start + 49]
        rows.append(
            [
                f"{start} to {part.index[-1]}",
                f"{part.mean():.1f}",
                f"{part.median():.1f}",
                str((part < 10).sum()),
                str((part > 100).sum()),
            ]
        )
    return Data("Table 1", "Sunspot numbers by half century.", rows, note="The last row covers fewer years.")


@cache
def by_decade() -> pd.DataFrame:
    """Mean, median, lowest number with its year, and count of years above 100, by decade."""
    data = numbers()
    groups = data.groupby(data.index // 10 * 10)
    return pd.DataFrame(
        {
            "mean": groups.mean(),
            "median": groups.median(),
            "when": groups.idxmin(),
            "low": groups.min(),
            "many": groups.apply(lambda part: int((part > 100).sum())),
        }
    )


def decade_table() -> Data:
    rows = [["Decade", "Mean number", "Median number", "Lowest number", "Year of the lowest", "Years above 100"]]
    for decade, row in by_decade().iterrows():
        rows.append(
            [
                f"{decade}s",
                f"{row['mean']:.1f}",
                f"{row['median']:.1f}",
                f"{row['low']:.1f}",
                f"{row['when']:.0f}",
                f"{row['many']:.0f}",
            ]
        )
    return Data("Table 3", "Sunspot numbers by decade.", rows, note="The last decade covers nine years.")


@cache
def decades_chart() -> bytes:
    data = numbers()
    cells = np.full(((len(data) + 9) // 10, 10), np.nan)
    cells.flat[: len(data)] = data.to_numpy()
    figure, axes = sheet(WIDTH, 142, grid="none")
    picture = axes.imshow(cells.T, aspect="auto", cmap="YlOrBr", interpolation="nearest")
    axes.set_xticks(range(0, len(cells), 5), [f"{data.index[0] + 10 * column}s" for column in range(0, len(cells), 5)])
    axes.set_yticks(range(0, 10, 3))
    axes.set_ylabel("Year of the decade")
    bar = figure.colorbar(picture, ax=axes, pad=0.015, aspect=14)
    bar.outline.set_visible(False)
    bar.set_label("Sunspot number")
    return vector(figure)


@cache
def shape() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The mean number in each year after a minimum, from 0 to 10 years, over all complete cycles."""
    data = numbers()
    rows = [data.loc[start : start + 10].to_numpy() for start in cycles()["start"]]
    return np.asarray(np.mean(rows, axis=0), dtype=np.float64)


@cache
def shape_chart() -> bytes:
    figure, axes = sheet(COLUMN, 120)
    axes.plot(shape(), color=ACCENT, marker="o", markersize=3.5)
    axes.set_xlabel("Years since the minimum")
    axes.set_ylabel("Mean sunspot number")
    axes.set_ylim(0)
    axes.set_xticks(range(11))
    return vector(figure)


def make(ledger: Ledger) -> Report:
    """The report, with page references as the ledger of the last setting knows them."""
    data, frame, waves = numbers(), cycles(), rhythm()
    halves = data.groupby(data.index // 50 * 50).mean()
    full = halves[:-1]
    longest = frame["years"].max()
    strongest, weakest = frame["mean"].idxmax(), frame["mean"].idxmin()
    mean_length = f"{frame['years'].mean():.1f} years on average"
    best_lag = 5 + int(np.argmax(waves[5:16]))
    worst_lag = int(np.argmin(waves[:12]))
    zero = data.index[data == 0]
    quiet = data.rolling(30).mean().dropna()
    calm = int(quiet.idxmin())
    decades = by_decade()
    rises = [int(np.argmax(data.loc[row["start"] : row["stop"]].to_numpy())) for _, row in frame.iterrows()]
    ties = frame.index[frame["years"] == longest]
    link = float(np.corrcoef(frame["years"][:-1], frame["mean"][1:])[0, 1])
    opening = [
        Heading("1 The record", ACCENT),
        Heading("1.1 Three centuries of counts", ACCENT),
        body(f"""Observers have counted the dark spots on the sun since the invention of the telescope. The yearly
            sunspot number used here begins in {data.index[0]} and ends in {data.index[-1]}: {len(data)} years without a
            gap. Its mean is {data.mean():.1f} and its median {data.median():.1f}; high years lie further from the
            middle than low ones."""),
        body(f"""Figure 1 shows the whole record. The sun is never quiet for long and never busy for long: the number is
            below ten in {(data < 10).sum()} years and above one hundred in {(data > 100).sum()}. No spot at all was
            seen in {spelled(len(zero))} years, {", ".join(map(str, zero[:-1]))} and {zero[-1]}."""),
        Heading("1.2 Calm and busy times", ACCENT),
        body(f"""By half centuries the mean has ranged from {full.min():.1f}, after {full.idxmin()}, to
            {full.max():.1f}, after {full.idxmax()} (Table 1). The calmest thirty years were those from {calm - 29} to
            {calm}, with a mean of {quiet.min():.1f}; the busiest ended in {int(quiet.idxmax())}, with
            {quiet.max():.1f}, or {quiet.max() / quiet.min():.1f} times as much."""),
        table(spans_table(), [66, 38, 38, 44, 46], COLUMN, look="grid", accent=ACCENT),
    ]
    middle = [
        Heading("2 The cycle", ACCENT),
        Heading("2.1 Length", ACCENT),
        body(f"""Between two minima the sun passes through one cycle. The record holds {len(frame)} complete ones, which
            last {mean_length}. The spread is wide: the shortest took {spelled(int(frame["years"].min()))} years and the
            longest, cycle {ties[0]}, took {longest}. Figure 2 counts them by length, and Table 2 lists them all (see
            page {ledger.page_of("Table 2")})."""),
        body(f"""A minimum is a matter of definition. Here it is a year whose number no year within four years of it
            undercuts. With monthly counts the turning points can move by some months, but the mean length hardly
            changes: it is the distance between the first and the last minimum divided by the number of cycles,
            {frame["years"].sum()} years over {len(frame)}."""),
        Heading("2.2 Strength", ACCENT),
        body(f"""The mean number of a cycle is a measure of its strength (Figure 3). The strongest cycle by this measure
            is cycle {strongest}, which began in {frame["start"][strongest]} and had a mean of
            {frame["mean"][strongest]:.1f}. The weakest is cycle {weakest}, from {frame["start"][weakest]} to
            {frame["stop"][weakest]}, with {frame["mean"][weakest]:.1f}."""),
        body(f"""Strong cycles come in runs: of the last ten cycles,
            {spelled(int((frame["mean"].iloc[-10:] > frame["mean"].mean()).sum()))} are above the mean of all cycles,
            {frame["mean"].mean():.1f}. A long cycle tends to be followed by a weak one; the correlation between the
            length of a cycle and the strength of the next is minus {-link:.2f}."""),
    ]
    closing = [
        Heading("3 The rhythm", ACCENT),
        Heading("3.1 Years apart", ACCENT),
        body(f"""How much does the number of one year tell about another? Figure 4 answers with the correlation between
            counts a given number of years apart. It is {waves[1]:.2f} for neighbouring years, falls to minus
            {-waves[worst_lag]:.2f} at {spelled(worst_lag)} years, where a busy year faces a quiet one, and returns to
            {waves[best_lag]:.2f} at {spelled(best_lag)} years."""),
        Chart(
            "Figure 4",
            "Correlation between sunspot numbers that lie the given number of years apart.",
            rhythm_chart(),
            (COLUMN, 150),
        ),
        body(f"""The later crests of the curve are lower, since cycles differ in length and soon fall out of step. At
            twice {spelled(best_lag)} years the correlation is {waves[2 * best_lag]:.2f}, at three times
            {waves[3 * best_lag]:.2f}. A forecast that only repeats the last cycle is therefore of use for a few years
            and no more."""),
        Heading("3.2 Quiet years", ACCENT),
        body(f"""Years with a number below twenty gather around the minima. A cycle holds {frame["quiet"].mean():.1f} of
            them on average; cycle {frame["quiet"].idxmax()} has the most, {frame["quiet"].max()}, and
            {spelled(int((frame["quiet"] <= 2).sum()))} cycles have two or fewer (last column of Table 2)."""),
        Heading("3.3 The average cycle", ACCENT),
        body(f"""Laid over each other from their minima, the cycles show a common shape (Figure 5): a steep rise and a
            slow decline. The average of all cycles is highest {spelled(int(np.argmax(shape())))} years after the
            minimum, and from there it takes until year {int(np.argmin(shape()[5:])) + 5} to come to rest. Single cycles
            reach their height between {spelled(min(rises))} and {spelled(max(rises))} years after the minimum."""),
        Chart(
            "Figure 5", "The average of all complete cycles, by years since the minimum.", shape_chart(), (COLUMN, 120)
        ),
    ]
    story = [
        *title_block(
            "Sunspot cycles since 1700",
            "Three centuries of yearly sunspot numbers",
            f"""The sun's spots come and go in cycles of about {spelled(round(frame["years"].mean()))} years. Over
            {len(data)} years of counts no two cycles have been alike. This report describes their length and their
            strength, and how far one year tells about the next.""",
            2,
            ACCENT,
        ),
        Chart("Figure 1", "Yearly sunspot numbers over the whole record.", record_chart(), (WIDTH, 176)),
        Columns(opening + middle),
        Side(
            Chart(
                "Figure 2",
                "Sunspot cycles by their length.",
                length_chart(),
                (COLUMN, 140),
                raster=raster(length_chart()),
            ),
            Chart(
                "Figure 3",
                "Mean sunspot number of every complete cycle.",
                strength_chart(),
                (COLUMN, 140),
                raster=raster(strength_chart()),
            ),
        ),
        Columns([table(cycle_table(), [30, 42, 40, 38, 40, 40], COLUMN, look="ruled", accent=ACCENT), *closing]),
        Heading("4 The decades", ACCENT),
        body(f"""Figure 6 sets the decades side by side, so that every cycle shows as a dark patch, and Table 3 sums
            them up (it continues on page {ledger.pages}). The mean is highest in the {decades["mean"].idxmax()}s and
            lowest in the {decades["mean"].idxmin()}s, and in {spelled(int((decades["many"] == 0).sum()))} of the
            {len(decades)} decades no year came above one hundred."""),
        Chart(
            "Figure 6",
            "Sunspot number of every year: one column a decade, one row a year of the decade.",
            decades_chart(),
            (WIDTH, 142),
            raster=raster(decades_chart()),
        ),
        table(decade_table(), [60, 70, 70, 80, 80, 90], WIDTH, look="plain", accent=ACCENT, pad=2.2),
        Heading("5 About the data", ACCENT),
        body("""The numbers are yearly means of the international sunspot number as published by the National
            Geophysical Data Center of the United States, from before the revision of the series in 2015. Numbers of the
            first half century rest on few observers and are less certain than the later ones."""),
    ]
    row = frame.loc[14]
    return Report(
        name="sunspot-cycles.pdf",
        title="Sunspot cycles since 1700",
        subtitle="Three centuries of yearly sunspot numbers",
        source="National Geophysical Data Center",
        accent=ACCENT,
        story=story,
        questions=[
            Question(
                "Which year had the highest yearly sunspot number since 1700, and what was it?",
                f"{data.idxmax()}, with a sunspot number of {data.max():.1f}.",
                "figure",
                ("Figure 1", peak_words()),
            ),
            Question(
                "How long does a sunspot cycle last on average?",
                f"{frame['years'].mean():.1f} years.",
                "text",
                (mean_length,),
            ),
            Question(
                f"What was the mean sunspot number of the solar cycle that began in {row['start']:.0f}?",
                f"{row['mean']:.1f}.",
                "table",
                ("Table 2", "14"),
            ),
        ],
    )
