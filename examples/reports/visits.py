"""Visits to the doctor in the RAND Health Insurance Experiment: two columns, ruled and gridded tables, a histogram."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from charts import raster, say, sheet, vector
from flowables import COLUMN, WIDTH, Chart, Columns, Data, Heading, Side, body, spelled, table, title_block
from ledger import Ledger, Question, Report
from reportlab.platypus import PageBreak
from statsmodels.datasets import randhie

ACCENT, SECOND = "#2f6b4f", "#8a7a3c"
PLANS = ["Free care", "25 per cent", "50 per cent", "95 per cent", "Deductible"]
HEALTH = ["excellent", "good", "fair", "poor"]


@cache
def people() -> pd.DataFrame:
    """One row for each person and year, with the `plan` and the `health` that the person reported."""
    frame = randhie.load_pandas().data
    share = np.round(np.exp(frame["lncoins"]) - 1).astype(int)
    by_share = {0: PLANS[0], 25: PLANS[1], 50: PLANS[2], 95: PLANS[3], 100: PLANS[4]}
    frame["plan"] = share.map(by_share).mask(frame["idp"] == 1, PLANS[4])
    frame["health"] = np.select([frame["hlthg"] == 1, frame["hlthf"] == 1, frame["hlthp"] == 1], HEALTH[1:], HEALTH[0])
    return frame


@cache
def plans() -> pd.DataFrame:
    """By plan: person-years, mean visits, shares in per cent without a visit and with ten or more."""
    groups = people().groupby("plan")["mdvis"]
    frame = pd.DataFrame(
        {
            "years": groups.size(),
            "mean": groups.mean(),
            "none": groups.apply(lambda visits: (visits == 0).mean() * 100),
            "many": groups.apply(lambda visits: (visits >= 10).mean() * 100),
        }
    )
    return frame.loc[PLANS]


def most_words() -> str:
    """The words inside the histogram that stand nowhere else."""
    return f"Most in one year: {people()['mdvis'].max()} visits"


def bars(column: str, label: str, color: str, form: str) -> bytes:
    """A bar for each plan."""
    frame = plans()
    figure, axes = sheet(COLUMN, 180)
    drawn = axes.bar(["Free", "25%", "50%", "95%", "Deductible"], frame[column], color=color, width=0.62)
    axes.bar_label(drawn, fmt=form, padding=2, fontsize=7.5)
    axes.set_ylabel(label)
    axes.margins(y=0.12)
    return vector(figure)


@cache
def mean_chart() -> bytes:
    return bars("mean", "Visits per person and year", ACCENT, "%.2f")


@cache
def none_chart() -> bytes:
    return bars("none", "Per cent of person-years", SECOND, "%.1f")


@cache
def histogram() -> bytes:
    counts = people()["mdvis"].value_counts().sort_index()
    figure, axes = sheet(WIDTH, 190)
    axes.bar(counts.index, counts, color=ACCENT, width=0.8)
    axes.set_yscale("log")
    axes.set_ylim(0.6, 12000)
    axes.set_yticks([1, 10, 100, 1000, 10000], ["1", "10", "100", "1,000", "10,000"])
    axes.minorticks_off()
    axes.set_xlim(-1.5, 80)
    last = int(counts.index[-1])
    say(axes, most_words(), (last, float(counts[last])), (last, 14), side="right")
    axes.set_xlabel("Visits in the year")
    axes.set_ylabel("Person-years, logarithmic scale")
    return vector(figure)


@cache
def illness_chart() -> bytes:
    frame = people()
    fifths = frame.groupby(pd.qcut(frame["disea"].rank(method="first"), 5, labels=False))["mdvis"].mean()
    figure, axes = sheet(COLUMN, 140)
    axes.plot(range(1, 6), fifths, color=ACCENT, marker="o", markersize=4)
    axes.set_xticks(range(1, 6), ["lowest", "second", "third", "fourth", "highest"])
    axes.set_xlabel("Fifth by the index of chronic disease")
    axes.set_ylabel("Visits per person and year")
    axes.set_ylim(0)
    return vector(figure)


@cache
def absence() -> pd.DataFrame:
    """Per cent of person-years without a visit, a row a state of health, a column a plan."""
    frame = people().assign(none=people()["mdvis"] == 0)
    return frame.pivot_table(index="health", columns="plan", values="none", aggfunc="mean").loc[HEALTH, PLANS] * 100


@cache
def absence_chart() -> bytes:
    frame = absence()[PLANS[:4]]
    figure, axes = sheet(WIDTH, 172)
    for name, color in zip(HEALTH[:3], (ACCENT, SECOND, "#a8503a"), strict=True):
        axes.plot(range(4), frame.loc[name], color=color, marker="o", markersize=4)
    ends = frame.iloc[:3, 3].sort_values()
    for place, (name, value) in enumerate(ends.items()):
        axes.annotate(
            str(name), (3, value), (6, 4 * (place - 1)), textcoords="offset points", va="center", fontsize=7.5
        )
    axes.set_xticks(range(4), PLANS[:4])
    axes.set_xlim(-0.2, 3.35)
    axes.set_ylim(0)
    axes.set_ylabel("Per cent of person-years")
    return vector(figure)


def plan_table() -> Data:
    rows = [["Plan", "Person-\nyears", "Mean\nvisits", "No visit,\n%", "Ten or\nmore, %"]]
    rows += [
        [str(plan), f"{row['years']:,.0f}", f"{row['mean']:.2f}", f"{row['none']:.1f}", f"{row['many']:.1f}"]
        for plan, row in plans().iterrows()
    ]
    everyone = people()["mdvis"]
    rows.append(
        [
            "All plans",
            f"{len(everyone):,}",
            f"{everyone.mean():.2f}",
            f"{(everyone == 0).mean() * 100:.1f}",
            f"{(everyone >= 10).mean() * 100:.1f}",
        ]
    )
    return Data("Table 1", "Visits to a doctor by insurance plan.", rows)


def health_table() -> Data:
    frame = people()
    means = frame.pivot_table(index="health", columns="plan", values="mdvis", aggfunc="mean").loc[HEALTH, PLANS]
    sizes = frame["health"].value_counts()
    rows = [["", "", "Mean visits by plan", "", "", "", ""], ["Health", "Person-\nyears", *PLANS]]
    rows += [[name.capitalize(), f"{sizes[name]:,}", *(f"{value:.2f}" for value in means.loc[name])] for name in HEALTH]
    caption = "Mean visits to a doctor in a year, by the health that people reported and by plan."
    return Data("Table 2", caption, rows, heads=2, spans=((0, 2, 6),))


def spread_table() -> Data:
    frame = people()
    rows = [["Visits in\nthe year", *PLANS, "All"]]
    groups = {
        "0": (0, 0),
        "1": (1, 1),
        "2": (2, 2),
        "3 to 4": (3, 4),
        "5 to 9": (5, 9),
        "10 to 19": (10, 19),
        "20 or more": (20, 999),
    }
    for name, (low, high) in groups.items():
        inside = frame["mdvis"].between(low, high)
        shares = [inside[frame["plan"] == plan].mean() * 100 for plan in PLANS]
        rows.append([name, *(f"{share:.1f}" for share in [*shares, inside.mean() * 100])])
    return Data("Table 3", "Distribution of visits, per cent of the person-years of each plan.", rows)


def make(ledger: Ledger) -> Report:
    """The report, with page references as the ledger of the last setting knows them."""
    frame, plan = people(), plans()
    visits = frame["mdvis"]
    ordered = np.sort(visits.to_numpy())[::-1]
    heavy = ordered[: len(ordered) // 10].sum() / ordered.sum() * 100
    limited, free = frame[frame["physlm"] == 1]["mdvis"], frame[frame["physlm"] == 0]["mdvis"]
    health = frame.groupby("health")["mdvis"].mean()
    sizes = frame["health"].value_counts(normalize=True) * 100
    less = (1 - plan["mean"]["95 per cent"] / plan["mean"]["Free care"]) * 100
    fifths = frame.groupby(pd.qcut(frame["disea"].rank(method="first"), 5, labels=False))["mdvis"].mean()
    tenth = f"the tenth of the person-years with the most visits accounts for {heavy:.0f} per cent of all visits"
    index = frame.groupby("health")["disea"].mean()
    variance = visits.var() / visits.mean()
    text = [
        Heading("1 The experiment", ACCENT),
        body(f"""In the 1970s the RAND Corporation gave families health insurance of different kinds, drawn by lot, and
            recorded how often they saw a doctor. The sample used here has {len(frame):,} person-years, each a person in
            a year, with a mean of {visits.mean():.2f} visits. Nobody chose the plan, and so a difference between plans
            is the work of the plans."""),
        body("""The plans differ in the share of the bill that the family pays itself, up to a limit: nothing at all,
            25, 50 or 95 per cent. A last plan has an individual deductible: up to a yearly amount each person pays most
            of a visit to the doctor, and nothing beyond it."""),
        Heading("2 What cost sharing does", ACCENT),
        Heading("2.1 Fewer visits", ACCENT),
        body(f"""Those who pay see the doctor less. People with free care made {plan["mean"]["Free care"]:.2f} visits a
            year and people who paid 95 per cent made {plan["mean"]["95 per cent"]:.2f}, which is {less:.0f} per cent
            less (Table 1 and Figure 1). Most of the difference appears with the first step: a share of 25 per cent
            already lowers the mean by {plan["mean"]["Free care"] - plan["mean"]["25 per cent"]:.2f} visits."""),
        table(plan_table(), [62, 42, 36, 40, 42], COLUMN, look="grid", accent=ACCENT),
        Heading("2.2 More years without a visit", ACCENT),
        body(f"""Cost sharing works at the door more than inside. The share of person-years without any visit rises from
            {plan["none"]["Free care"]:.1f} per cent with free care to {plan["none"]["95 per cent"]:.1f} per cent in the
            plan with the largest share (Figure 2). Among those who came at all, the mean is
            {visits[(frame["plan"] == "Free care") & (visits > 0)].mean():.2f} visits with free care and
            {visits[(frame["plan"] == "95 per cent") & (visits > 0)].mean():.2f} with a share of 95 per cent."""),
        body(f"""The deductible stands between: {plan["mean"]["Deductible"]:.2f} visits, and no visit in
            {plan["none"]["Deductible"]:.1f} per cent of the person-years. The full distribution is given in Table 3
            (see page {ledger.page_of("Table 3")})."""),
    ]
    sick = [
        Heading("3 Health", ACCENT),
        Heading("3.1 Reported health", ACCENT),
        body(f"""Most people feel well: in {sizes["excellent"]:.0f} per cent of the person-years health was called
            excellent, in {sizes["good"]:.0f} per cent good, in {sizes["fair"]:.0f} fair and in {sizes["poor"]:.1f}
            poor. Those in poor health made {health["poor"]:.2f} visits a year,
            {health["poor"] / health["excellent"]:.1f} times as many as those in excellent health. Table 2 shows that
            payment matters at every level of health but the last, where the numbers of people are small and the means
            uncertain."""),
        Heading("3.2 Limits and chronic disease", ACCENT),
        body(f"""People with a physical limitation made {limited.mean():.2f} visits a year, others {free.mean():.2f}. An
            index of chronic disease, {index["excellent"]:.1f} on average for those who call their health excellent and
            {index["poor"]:.1f} for those who call it poor, sorts people in the same way: from the lowest fifth to the
            highest, though not at every step, the mean goes from {fifths.iloc[0]:.2f} to {fifths.iloc[-1]:.2f} visits
            (Figure 3)."""),
        Chart(
            "Figure 3",
            "Mean visits by fifths of the index of chronic disease.",
            illness_chart(),
            (COLUMN, 140),
            raster=raster(illness_chart()),
        ),
    ]
    absent = absence()
    together = [
        Heading("3.3 Payment and health together", ACCENT),
        body(f"""Does payment keep the sick away, or those who feel well? Figure 4 gives the share of person-years
            without a visit for three groups. People in excellent health stayed away in
            {absent["Free care"]["excellent"]:.1f} per cent of the person-years with free care and in
            {absent["95 per cent"]["excellent"]:.1f} per cent with the highest share."""),
        body(f"""For people in fair health the two figures are {absent["Free care"]["fair"]:.1f} and
            {absent["95 per cent"]["fair"]:.1f} per cent, a rise of
            {absent["95 per cent"]["fair"] - absent["Free care"]["fair"]:.1f} points against
            {absent["95 per cent"]["excellent"] - absent["Free care"]["excellent"]:.1f}. Payment thus keeps away those
            who feel well far more than those who do not."""),
    ]
    spread = [
        Heading("4 The spread of visits", ACCENT),
        body(f"""Visits are far from evenly spread (Figure 5). The median is {spelled(int(visits.median()))}, well below
            the mean, and {tenth}. In {(visits > 30).sum()} person-years there were more than thirty visits."""),
        body(f"""If visits came at random at the same rate for all, their variance would equal their mean. It is
            {variance:.1f} times as large, a sign of people who differ and of illnesses that take several visits. Models
            of such counts must allow for it."""),
        Heading("5 About the data", ACCENT),
        body("""Only visits to a doctor outside hospital are counted. A person is counted once for every year of taking
            part. The data are a part of those of the experiment and differ slightly from published tables. Fifths of
            the index of chronic disease have equal numbers of person-years; ties are broken by the order of the
            file."""),
    ]
    story = [
        *title_block(
            "Cost sharing and visits to the doctor",
            "Results of the RAND Health Insurance Experiment",
            f"""What happens when patients pay part of the bill? A great experiment gave an answer: with a share of 95
            per cent they made {less:.0f} per cent fewer visits than with free care. This report shows for whom, and how
            unevenly visits are spread.""",
            5,
            ACCENT,
        ),
        Columns(text),
        Side(
            Chart(
                "Figure 1",
                "Mean visits to a doctor, by plan.",
                mean_chart(),
                (COLUMN, 180),
                raster=raster(mean_chart()),
            ),
            Chart("Figure 2", "Person-years without any visit, by plan.", none_chart(), (COLUMN, 180)),
        ),
        Columns(sick),
        table(health_table(), [60, 60, 68, 68, 68, 68, 68], WIDTH, look="ruled", accent=ACCENT),
        Columns(together),
        Chart(
            "Figure 4",
            "Person-years without any visit, by plan and reported health.",
            absence_chart(),
            (WIDTH, 172),
            raster=raster(absence_chart()),
        ),
        PageBreak(),
        Chart("Figure 5", "Person-years by number of visits in the year, all plans.", histogram(), (WIDTH, 186)),
        Columns(spread),
        table(spread_table(), [70, 68, 68, 68, 68, 68, 68], WIDTH, look="plain", accent=ACCENT),
    ]
    return Report(
        name="doctor-visits.pdf",
        title="Cost sharing and visits to the doctor",
        subtitle="Results of the RAND Health Insurance Experiment",
        source="RAND Corporation, Health Insurance Experiment",
        accent=ACCENT,
        story=story,
        questions=[
            Question(
                "In the RAND Health Insurance Experiment, what share of all doctor visits fell on the tenth of "
                "person-years with the most visits?",
                f"{heavy:.0f} per cent.",
                "text",
                (tenth,),
            ),
            Question(
                "In the RAND health experiment, how many doctor visits a year did people in fair health on the 25 per "
                "cent plan make on average?",
                f"{health_table().rows[4][3]} visits.",
                "table",
                ("Table 2", "Fair"),
            ),
            Question(
                "What was the highest number of doctor visits that one person made in a year in the RAND Health "
                "Insurance Experiment?",
                f"{visits.max()} visits.",
                "figure",
                ("Figure 5", most_words()),
            ),
        ],
    )
