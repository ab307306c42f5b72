"""What the made reports talk about: eight domains, each with its subjects, measures, places and section titles.

The sentences say nothing true; they read like reports of their domain. Knows nothing of pages or links.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Domain:
    """The words of one domain; `rows` label a table's rows, `columns` its columns, `unit` is what they count."""

    title: str
    sections: tuple[str, ...]
    subjects: tuple[str, ...]
    measures: tuple[str, ...]
    places: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    unit: str


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


DOMAINS = {
    "commerce_manufacturing": Domain(
        "Output and Orders of the Assembly Plants",
        _split("Order intake, Plant utilisation, Supply of parts, Warranty claims, Distribution, Unit costs"),
        _split(
            "The stamping line, Each distributor, The main supplier, The paint shop, Retail partners, The new press"
        ),
        _split("order backlog, scrap rate, lead time, inventory turnover, unit cost, freight spending"),
        _split("the Leeds works, the coastal depot, the northern plant, the bonded warehouse"),
        _split(
            "Castings, Gearboxes, Bearings, Housings, Pumps, Valves, Couplings, Seals, Motors, Drives, Frames, Cables"
        ),
        _split("Ordered, Shipped, Returned, Scrapped, In stock, Backlog"),
        "thousand units",
    ),
    "construction": Domain(
        "Progress of the Harbour Crossing Works",
        _split("Foundations, Steel erection, Site safety, Programme, Concrete quality, Cost to complete"),
        _split(
            "The contractor, The resident engineer, The piling crew, The east abutment, Formwork, The crane operator"
        ),
        _split("cube strength, settlement, programme float, rework cost, pour volume, crane hours"),
        _split("the west pier, the approach viaduct, the casting yard, the tunnel portal"),
        _split("Piling, Excavation, Formwork, Reinforcement, Concrete, Cladding, Drainage, Paving, Lighting, Barriers"),
        _split("Budget, Certified, Variation, Forecast, Remaining, Retention"),
        "thousand euros",
    ),
    "crm": Domain(
        "Accounts, Renewals and Service Quality",
        _split("Renewals, Pipeline, Service levels, Churn, Campaigns, Account reviews"),
        _split(
            "The enterprise team, Each account manager, The help desk, Trial users, The partner channel, Key accounts"
        ),
        _split("renewal rate, response time, net promoter score, ticket volume, contract value, win rate"),
        _split("the Nordic region, the public sector, the mid-market, the partner network"),
        _split(
            "Prospects, Leads, Trials, Quotes, Contracts, Renewals, Upgrades, Referrals, Complaints, Refunds, Audits"
        ),
        _split("Opened, Won, Lost, Pending, Value, Days open"),
        "accounts",
    ),
    "education": Domain(
        "Attainment and Attendance in the District Schools",
        _split("Enrolment, Attainment, Attendance, Staffing, School meals, Transport"),
        _split("The primary schools, Most teachers, The literacy programme, Older pupils, The district, Parents"),
        _split("reading score, attendance rate, class size, graduation rate, cost per pupil, transfer rate"),
        _split("the valley schools, the upper grades, the evening college, the rural district"),
        _split("Ashdown, Birchwood, Cliffside, Downham, Eastgate, Fairfield, Greenhill, Harwell, Ivybridge, Kingsley"),
        _split("Pupils, Teachers, Absent, Passed, Transferred, Meals"),
        "pupils",
    ),
    "energy": Domain(
        "Generation, Storage and Demand on the Island Grid",
        _split("Demand, Wind generation, Storage, Outages, Tariffs, Interconnection"),
        _split("The wind farm, The older turbine, Peak demand, The battery plant, The operator, Rooftop solar"),
        _split("capacity factor, peak load, curtailment, outage time, fuel cost, spinning reserve"),
        _split("the southern substation, the tidal array, the mainland link, the diesel station"),
        _split("Wind, Solar, Hydro, Tidal, Diesel, Biogas, Battery, Imports, Exports, Losses, Reserve"),
        _split("Installed, Generated, Curtailed, Sold, Stored, Lost"),
        "gigawatt hours",
    ),
    "finance": Domain(
        "Results of the Harbour Savings Group",
        _split("Net interest income, Fee income, Credit quality, Capital, Liquidity, Operating expenses"),
        _split("The group, Retail lending, The treasury desk, Mortgage lending, The card business, Corporate clients"),
        _split("net margin, cost ratio, loan loss rate, deposit base, fee income, capital ratio"),
        _split("the home market, the overseas branches, the leasing arm, the trust division"),
        _split(
            "Cash, Receivables, Inventories, Securities, Goodwill, Deposits, Borrowings, Leases, Provisions, Equity"
        ),
        _split("Opening, Additions, Disposals, Impairment, Closing, Change"),
        "million dollars",
    ),
    "healthcare": Domain(
        "Waiting Times and Outcomes in the Regional Hospitals",
        _split("Admissions, Waiting times, Surgical outcomes, Nursing, Infection control, Outpatients"),
        _split(
            "The cardiac unit, Ward nurses, Elective patients, The emergency department, The trial group, Day surgery"
        ),
        _split("readmission rate, length of stay, waiting time, infection rate, bed occupancy, dosage"),
        _split("the teaching hospital, the stroke ward, the community clinics, the control arm"),
        _split(
            "Cardiology, Oncology, Neurology, Urology, Paediatrics, Geriatrics, Surgery, Maternity, Radiology, Pharmacy"
        ),
        _split("Admitted, Treated, Waiting, Discharged, Readmitted, Beds"),
        "patients",
    ),
    "legal": Domain(
        "Review of Claims and Settlements",
        _split("Claims received, Procedure, Settlements, Appeals, Costs, Retention of records"),
        _split("The claimant, The tribunal, Outside counsel, The respondent, The registry, Each party"),
        _split("award, filing fee, time to hearing, settlement rate, disclosure volume, costs order"),
        _split("the commercial list, the appellate division, the land registry, the arbitration panel"),
        _split(
            "Contract, Tort, Property, Employment, Patents, Trademarks, Insolvency, Probate, Maritime, Tax, Planning"
        ),
        _split("Filed, Heard, Settled, Withdrawn, Appealed, Pending"),
        "cases",
    ),
}

_SENTENCES = (
    "{subject} changed the {measure} by {n} per cent in {year}.",
    "In {place} the {measure} was lower than in {year}, though the difference is small.",
    "{subject} reported a {measure} of {n} for the year, against {n2} for the year before.",
    "Nothing in the records of {place} explains why the {measure} moved as far as it did.",
    "A review in {year} found that the {measure} had been understated, and {place} has corrected it since.",
    "{subject} and the auditors agree on the {measure}, but not on its cause.",
    "Of {n2} entries that were checked, {n} had an error in the {measure}.",
    "Work in {place} went on through the winter, and the {measure} stayed within {n} per cent of the plan.",
    "When the rules changed in {year}, {place} was the first to feel it.",
    "The {measure} is measured twice a year; the second reading is the one that counts.",
    "{subject} expects no further change before the end of {year}.",
    "For most of the year the {measure} followed the pattern that {place} has shown since {year}.",
    "What this means for {place} is not yet clear, because the {measure} answers slowly.",
)


class Writer:
    """Writes sentences of a domain; all choices come from `random`."""

    def __init__(self, domain: Domain, random: Random) -> None:
        self.domain, self.random = domain, random

    def sentence(self) -> str:
        draw = self.random
        return draw.choice(_SENTENCES).format(
            subject=draw.choice(self.domain.subjects),
            measure=draw.choice(self.domain.measures),
            place=draw.choice(self.domain.places),
            n=draw.randint(2, 90),
            n2=draw.randint(91, 990),
            year=draw.randint(1998, 2024),
        )

    def paragraph(self, sentences: int) -> list[str]:
        return [self.sentence() for _ in range(sentences)]

    def caption(self) -> str:
        """What a table or figure shows, without its label."""
        draw, domain = self.random, self.domain
        measure = draw.choice(domain.measures).capitalize()
        return draw.choice(
            (
                f"{measure} in {draw.choice(domain.places)}, {draw.randint(1998, 2010)} to {draw.randint(2011, 2024)}",
                f"{measure} by category, {domain.unit}",
                f"{measure} and {draw.choice(domain.measures)} compared, in {domain.unit}, with the figures of the "
                f"year before",
            )
        )

    def rows(self, body: int, columns: int, years: bool) -> list[list[str]]:
        """A table: one header row and `body` rows of a label and `columns` - 1 numbers."""
        draw, domain = self.random, self.domain
        start = draw.randint(2001, 2016)
        heads = [str(start + n) for n in range(columns - 1)] if years else list(domain.columns[: columns - 1])
        labels = [
            domain.rows[n % len(domain.rows)] + (f" {n // len(domain.rows) + 1}" if n >= len(domain.rows) else "")
            for n in range(body)
        ]
        return [
            ["Category", *heads],
            *([label, *(f"{draw.randint(3, 9800):,}" for _ in heads)] for label in labels),
        ]
