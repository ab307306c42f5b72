"""United States macroeconomic data, 1959 to 2009: two columns, a long table with a header of two rows."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from charts import raster, say, sheet, vector
from flowables import COLUMN, WIDTH, Chart, Columns, Data, Heading, Side, body, spelled, table, title_block
from ledger import Ledger, Question, Report
from reportlab.platypus import CondPageBreak
from statsmodels.datasets import macrodata

ACCENT, SECOND = "#1f4e79", "#b5562c"


@cache
def quarters() -> pd.DataFrame:
    """The 203 quarters, with `when` as a decimal year and `name` as in `1981 Q2`."""
    frame = macrodata.load_pandas().data
    frame["year"], frame["quarter"] = frame["year"].astype(int), frame["quarter"].astype(int)
    frame["when"] = frame["year"] + (frame["quarter"] - 1) / 4
    frame["name"] = frame["year"].astype(str) + " Q" + frame["quarter"].astype(str)
    return frame


@cache
def years() -> pd.DataFrame:
    """Averages of the quarters of each year, and the growth of output in per cent."""
    columns = ["realgdp", "infl", "tbilrate", "unemp", "pop"]
    frame = quarters().groupby("year")[columns].mean()
    frame["growth"] = frame["realgdp"].pct_change() * 100
    return frame


def falls(least: float) -> list[tuple[str, str, float, int]]:
    """Falls of quarterly output from its highest level so far: peak, trough, depth in per cent, quarters to recover."""
    data = quarters()
    gdp, names = data["realgdp"].to_list(), data["name"].to_list()
    found, peak, trough = [], 0, 0
    for now in range(1, len(gdp)):
        if gdp[now] >= gdp[peak]:
            if trough > peak and (depth := (1 - gdp[trough] / gdp[peak]) * 100) > least:
                found.append((names[peak], names[trough], depth, now - peak))
            peak = trough = now
        elif trough <= peak or gdp[now] < gdp[trough]:
            trough = now
    if trough > peak and (depth := (1 - gdp[trough] / gdp[peak]) * 100) > least:
        found.append((names[peak], names[trough], depth, 0))
    return found


@cache
def rates_chart() -> bytes:
    data = quarters()
    figure, axes = sheet(WIDTH, 150)
    axes.plot(data["when"][1:], data["infl"][1:], color=SECOND, linewidth=0.9)
    axes.plot(data["when"], data["tbilrate"], color=ACCENT, linewidth=1.6)
    axes.axhline(0, color="#667078", linewidth=0.6)
    top = data.loc[data["tbilrate"].idxmax()]
    say(axes, peak_words(), (top["when"], top["tbilrate"]), (top["when"] + 2.2, top["tbilrate"] + 0.3))
    axes.text(1994.2, 6.4, "Treasury bills, 3 months", color=ACCENT, fontweight="bold")
    axes.text(2001, -7.2, "Inflation", color=SECOND, fontweight="bold", ha="center")
    axes.set_ylabel("Per cent a year")
    axes.set_xlim(1958.5, 2010.2)
    return vector(figure)


def peak_words() -> str:
    """The words inside the chart of interest rates that stand nowhere else."""
    top = quarters().loc[quarters()["tbilrate"].idxmax()]
    return f"Peak {top['name']}: {top['tbilrate']:.1f}%"


@cache
def output_chart() -> bytes:
    data = quarters()
    figure, axes = sheet(COLUMN, 136)
    axes.fill_between(data["when"], data["realgdp"] / 1000, color=ACCENT, alpha=0.15, linewidth=0)
    axes.plot(data["when"], data["realgdp"] / 1000, color=ACCENT)
    axes.set_ylabel("Trillion dollars of 2005")
    axes.set_ylim(0)
    return vector(figure)


@cache
def jobs_chart() -> bytes:
    data = quarters()
    figure, axes = sheet(COLUMN, 136)
    axes.plot(data["when"], data["unemp"], color=SECOND)
    axes.axhline(data["unemp"].mean(), color="#667078", linewidth=0.8, linestyle=(0, (4, 3)))
    axes.text(1959, data["unemp"].mean() + 2, f"Mean {data['unemp'].mean():.1f}", color="#667078")
    axes.set_ylabel("Per cent of the labour force")
    axes.set_ylim(0, 12)
    return vector(figure)


def decades() -> Data:
    frame = years().loc[1960:]
    mean = frame.groupby(frame.index // 10 * 10)[["growth", "infl", "tbilrate", "unemp"]].mean()
    rows = [["Decade", "Growth", "Inflation", "Bills", "Jobless"]]
    rows += [
        [f"{decade}s", *(f"{value:.1f}" for value in row)]
        for decade, row in zip(mean.index, mean.to_numpy(), strict=True)
    ]
    note = "Means of annual figures. Bills: 3-month Treasury bills. Jobless: share of the labour force."
    return Data("Table 1", "Growth, inflation, interest and unemployment by decade, per cent.", rows, note=note)


def record() -> Data:
    rows = [
        ["Year", "Output", "", "Prices and interest", "", "People", ""],
        [
            "",
            "Real GDP,\n$ billion",
            "Growth,\n%",
            "Inflation,\n%",
            "Treasury\nbills, %",
            "Unemployed,\n%",
            "Population,\nmillion",
        ],
    ]
    for year, row in years().iterrows():
        growth = "n/a" if pd.isna(row["growth"]) else f"{row['growth']:.1f}"
        rows.append(
            [
                f"{year}",
                f"{row['realgdp']:,.0f}",
                growth,
                f"{row['infl']:.1f}",
                f"{row['tbilrate']:.1f}",
                f"{row['unemp']:.1f}",
                f"{row['pop']:.1f}",
            ]
        )
    last = quarters().iloc[-1]
    note = (
        f"Means of the quarters; {last['year']} is the mean of its first {last['quarter']} quarters. "
        "Real GDP in chained dollars of 2005 at an annual rate. n/a: not available."
    )
    caption = "Output, prices, interest and unemployment, annual means."
    return Data("Table 3", caption, rows, heads=2, spans=((0, 1, 2), (0, 3, 4), (0, 5, 6)), note=note)


def recessions() -> Data:
    rows = [["Peak", "Trough", "Fall, %", "Quarters below\nthe peak"]]
    rows += [[peak, trough, f"{depth:.1f}", str(length or "open")] for peak, trough, depth, length in falls(1.0)]
    note = "Open: output had not regained its peak when the record ends."
    return Data("Table 2", "Falls of real GDP of more than one per cent.", rows, note=note, texts=(0, 1))


def make(ledger: Ledger) -> Report:
    """The report, with page references as the ledger of the last setting knows them."""
    data, annual = quarters(), years()
    first, last = data.iloc[0], data.iloc[-1]
    span = (len(data) - 1) / 4
    ratio = last["realgdp"] / first["realgdp"]
    growth = (ratio ** (1 / span) - 1) * 100
    head = data["realgdp"] / data["pop"] * 1000
    people_growth = ((last["pop"] / first["pop"]) ** (1 / span) - 1) * 100
    share = data["realcons"] / data["realgdp"] * 100
    prices = last["cpi"] / first["cpi"]
    fallen = falls(1.0)
    deepest = max(fallen, key=lambda fall: fall[2])
    high_inflation, best = annual["infl"].idxmax(), annual["growth"].idxmax()
    shrinking = annual.index[annual["growth"] < 0]
    jobless = data.loc[data["unemp"].idxmax()]
    before = [fall for fall in fallen if fall[0] <= jobless["name"]]
    steps = data["unemp"].diff()[1:]
    least = data.loc[data["unemp"].idxmin()]
    spent = data["realcons"] / data["realdpi"] * 100
    pairs = pd.DataFrame({"growth": annual["growth"], "step": annual["unemp"].diff()}).dropna()
    slope, level = (float(value) for value in np.polyfit(pairs["growth"], pairs["step"], 1))
    misery = annual["infl"] + annual["unemp"]
    real = data["realint"][1:]
    low_bill = annual["tbilrate"].idxmin()
    rise = head.iloc[-1] / head.iloc[0]
    wealth = f"from ${head.iloc[0]:,.0f} to ${head.iloc[-1]:,.0f} in dollars of 2005, a factor of {rise:.2f}"

    text = [
        Heading("1 Growth", ACCENT),
        Heading("1.1 Half a century in brief", ACCENT),
        body(f"""Real gross domestic product stood at ${first["realgdp"]:,.0f} billion in {first["name"]} and at
            ${last["realgdp"]:,.0f} billion in {last["name"]}, both at annual rates and in chained dollars of 2005.
            Output thus multiplied by {ratio:.1f} in {span:.1f} years, or grew by {growth:.1f} per cent a year."""),
        body(f"""Part of this growth is a growing population, which rose from {first["pop"]:.0f} to {last["pop"]:.0f}
            million people, {people_growth:.1f} per cent a year. Output per person went {wealth}. The path of total
            output is drawn in Figure 2."""),
        body(f"""The best year was {best}, when output was {annual["growth"][best]:.1f} per cent above that of the year
            before. It fell in {spelled(len(shrinking))} of the {len(annual) - 1} years that can be compared. Table 1
            shows that growth was fastest in the 1960s and slowest in the last decade."""),
        table(decades(), [51, 44, 48, 40, 48], COLUMN, look="plain", accent=ACCENT, pad=2.0),
        Heading("1.2 Recessions", ACCENT),
        body(f"""Measured from the highest level reached so far, quarterly output fell by more than one per cent
            {spelled(len(fallen))} times (Table 2). The deepest fall, of {deepest[2]:.1f} per cent, ran from
            {deepest[0]} to {deepest[1]}, and by the end of the record its peak had not been regained."""),
        table(recessions(), [54, 54, 46, 77], COLUMN, look="ruled", accent=ACCENT),
        body(f"""Households carried demand through these years: personal consumption was {share.iloc[0]:.1f} per cent of
            output at the beginning and {share.iloc[-1]:.1f} per cent at the end. Private investment is far less steady.
            Its lowest share of output, {(data["realinv"] / data["realgdp"] * 100).min():.1f} per cent, was reached in
            {data.loc[(data["realinv"] / data["realgdp"]).idxmin(), "name"]}. Table 3 holds every year of the record
            (see page {ledger.page_of("Table 3")})."""),
    ]
    money = [
        Heading("2 Prices and interest", ACCENT),
        Heading("2.1 Inflation", ACCENT),
        body(f"""Consumer prices multiplied by {prices:.1f} between {first["name"]} and {last["name"]}. Inflation, which
            is here the change of the consumer price index over a quarter at an annual rate, was highest on average in
            {high_inflation}, at {annual["infl"][high_inflation]:.1f} per cent. It was above five per cent in
            {(annual["infl"] > 5).sum()} of the {len(annual)} years, all of them between
            {annual.index[annual["infl"] > 5].min()} and {annual.index[annual["infl"] > 5].max()}."""),
        body(f"""Single quarters stray much further than years, as Figure 1 shows. The widest swing came at the end:
            between {data.loc[data["infl"].diff().idxmin() - 1, "name"]} and
            {data.loc[data["infl"].diff().idxmin(), "name"]} the annual rate of inflation dropped by
            {-data["infl"].diff().min():.1f} percentage points."""),
        Heading("2.2 The price of money", ACCENT),
        body(f"""The rate on three-month Treasury bills follows inflation up and, with a delay, down. Over the whole
            record it exceeded inflation by {real.mean():.1f} percentage points on average, and it lay below inflation
            in {(real < 0).sum()} of {len(real)} quarters, {((real < 0) & data["year"][1:].between(1970, 1979)).sum()}
            of them in the 1970s. The lowest annual mean is that of {low_bill}, at {annual["tbilrate"][low_bill]:.2f}
            per cent."""),
        Heading("3 Jobs and households", ACCENT),
        Heading("3.1 Unemployment", ACCENT),
        body(f"""The rate of unemployment averaged {data["unemp"].mean():.1f} per cent, the dashed line in Figure 3. It
            was lowest in {least["name"]}, at {least["unemp"]:.1f} per cent, and highest in {jobless["name"]}, at
            {jobless["unemp"]:.1f} per cent, just after the fall in output that Table 2 dates to {before[-1][0]}. At the
            end of the record it stood at {last["unemp"]:.1f} per cent."""),
        body(f"""Unemployment rises quickly and falls slowly. It rose in {(steps > 0).sum()} quarters, by
            {steps[steps > 0].mean():.2f} percentage points on average, and fell in {(steps < 0).sum()}, by
            {-steps[steps < 0].mean():.2f} points, so that its picture is a row of steep shores and gentle beaches. In
            the other {(steps == 0).sum()} quarters it did not move."""),
        Heading("3.2 Spending and saving", ACCENT),
        body(f"""Of every hundred dollars of disposable income, households spent {spent.iloc[0]:.1f} in {first["name"]}.
            The share was lowest in {data.loc[spent.idxmin(), "name"]}, at {spent.min():.1f}, and highest in
            {data.loc[spent.idxmax(), "name"]}, at {spent.max():.1f}. It averaged
            {spent[data["year"].between(1970, 1979)].mean():.1f} in the 1970s and
            {spent[data["year"] >= 2000].mean():.1f} after 1999: households saved less of what they earned, until the
            fall in output that began in {fallen[-1][0]} brought the share down to {spent.iloc[-1]:.1f} at the end of
            the record."""),
    ]
    closing = [
        Heading("4.1 Growth and jobs", ACCENT),
        body(f"""Years of fast growth are years in which unemployment falls. Over the {len(pairs)} pairs of years in
            Table 3 every further percentage point of growth goes with a change of the unemployment rate that is
            {-slope:.2f} points lower, and the rate holds steady when output grows by {-level / slope:.1f} per cent. In
            {((pairs["growth"] > -level / slope) & (pairs["step"] < 0)).sum()} of the
            {(pairs["growth"] > -level / slope).sum()} years with faster growth it fell."""),
        Heading("4.2 Hard years", ACCENT),
        body(f"""The sum of the rates of inflation and unemployment is a crude measure of hardship. By this measure the
            hardest year was {misery.idxmax()}, with a sum of {misery.max():.1f}, and the easiest {misery.idxmin()},
            with {misery.min():.1f}. Among the ten hardest years
            {spelled(misery.nlargest(10).index.isin(range(1973, 1983)).sum())} lie between 1973 and 1982."""),
        Heading("5 About the data", ACCENT),
        body("""The series were compiled from the Federal Reserve Bank of St. Louis and, for unemployment, from the
            Bureau of Labor Statistics. They are seasonally adjusted where the agencies adjust them."""),
        body("""Growth between two years compares annual means; growth between two quarters is expressed as a yearly
            rate. Inflation in a quarter is four hundred times the logarithm of the ratio of two consumer price indices.
            The real rate of interest is the rate on bills less inflation in the same quarter."""),
    ]
    story = [
        *title_block(
            "The American economy, 1959 to 2009",
            "Output, prices and jobs in half a century of quarterly accounts",
            f"""The output of the United States was {ratio:.1f} times as large in {last["year"]} as in {first["year"]}.
            Growth was interrupted {spelled(len(fallen))} times by falls of more than one per cent, and the last of them
            was the deepest. This report follows output, prices, interest and jobs through {len(data)} quarters, and
            ends with the annual record.""",
            1,
            ACCENT,
        ),
        Columns(text),
        Chart(
            "Figure 1",
            "Inflation and the rate on three-month Treasury bills, per cent a year, quarterly.",
            rates_chart(),
            (WIDTH, 150),
        ),
        Columns(money),
        Side(
            Chart(
                "Figure 2",
                "Real gross domestic product at annual rates, quarterly.",
                output_chart(),
                (COLUMN, 136),
                raster=raster(output_chart()),
            ),
            Chart(
                "Figure 3",
                "Rate of unemployment, quarterly, with its mean over the record.",
                jobs_chart(),
                (COLUMN, 136),
                raster=raster(jobs_chart()),
            ),
        ),
        CondPageBreak(150),
        Heading("4 The annual record", ACCENT),
        body(f"""Table 3 gives annual means of the quarterly figures. The years in which output fell are
            {", ".join(map(str, shrinking[:-1]))} and {shrinking[-1]}."""),
        table(record(), [45, 75, 65, 72, 72, 77, 73], WIDTH, look="ruled", accent=ACCENT, pad=3.2),
        Columns(closing),
    ]
    row = annual.loc[1982]
    top = data.loc[data["tbilrate"].idxmax()]
    return Report(
        name="american-economy.pdf",
        title="The American economy, 1959 to 2009",
        subtitle="Output, prices and jobs in half a century of quarterly accounts",
        source="Federal Reserve Bank of St. Louis; Bureau of Labor Statistics",
        accent=ACCENT,
        story=story,
        questions=[
            Question(
                "How much did economic output per person in the United States grow between 1959 and 2009?",
                f"It rose {wealth}.",
                "text",
                (wealth,),
            ),
            Question(
                "What was the average unemployment rate in the United States in 1982?",
                f"{row['unemp']:.1f} per cent of the labour force.",
                "table",
                ("Table 3", "1982"),
            ),
            Question(
                "When did the interest rate on three-month US Treasury bills peak, and how high was it then?",
                f"In {top['name']}, at {top['tbilrate']:.1f} per cent.",
                "figure",
                ("Figure 1", peak_words()),
            ),
        ],
    )
