"""What counts as borne out by evidence."""

import pytest

from octavo.generation.check import borne_out, claims, renumber, support, unmark, unsupported_numbers

CASH_FLOW = "(in millions) | 2018 | 2017\nPurchases of property, plant and equipment | (1,577) | (1,373)"
REVENUE = "Net revenue for fiscal 2021 was $1,200,000, compared with $1,000,000 in fiscal 2020, an increase of 20.0%."
CAUSE = "The pilot's failure to maintain adequate airspeed, which resulted in an aerodynamic stall."


class TestMarks:
    def test_marks_are_numbered_in_order_of_appearance(self):
        assert renumber("Assets rose [3]. Debt fell [1].", 3) == ("Assets rose [1]. Debt fell [2].", (3, 1))

    def test_a_repeated_citation_keeps_its_number(self):
        assert renumber("A [2]. B [1]. C [2].", 2) == ("A [1]. B [2]. C [1].", (2, 1))

    def test_one_mark_may_cite_several(self):
        assert renumber("Both rose [1, 2].", 2) == ("Both rose [1][2].", (1, 2))

    def test_a_range_cites_all_within(self):
        assert renumber("All rose [1-3].", 3) == ("All rose [1][2][3].", (1, 2, 3))

    def test_a_mark_of_evidence_that_was_not_given_is_dropped(self):
        assert renumber("Assets rose [9]. Debt fell [1, 7].", 3) == ("Assets rose. Debt fell [1].", (1,))

    def test_evidence_counts_from_one(self):
        assert renumber("Assets rose [0].", 3) == ("Assets rose.", ())

    def test_other_brackets_stay(self):
        assert renumber("The [former] chairman [1]", 1) == ("The [former] chairman [1]", (1,))

    def test_each_claim_goes_with_the_marks_behind_it(self):
        assert claims("Assets rose [1] [2]. Debt fell [3]. Why is open.") == [
            ("Assets rose", (1, 2)),
            ("Debt fell", (3,)),
            ("Why is open", ()),
        ]

    def test_a_document_s_own_reference_marks_are_no_citations(self):
        assert renumber(unmark("as shown before [12, 13]"), 20) == ("as shown before (12, 13)", ())


class TestNumbers:
    @pytest.mark.parametrize(
        "written",
        [
            "$1,200,000",
            "1200000",
            "1.2 million",
            "$1.20 million",
            "1.2M",
            "€1,200 thousand",
            "1\u00a0200\u00a0000",
            "1,200,000.00",
            "0.0012bn",
        ],
    )
    def test_one_value_written_otherwise_is_supported(self, written):
        assert unsupported_numbers(f"Net revenue was {written}.", [REVENUE]) == ()

    @pytest.mark.parametrize("written", ["$1.3 million", "1.2 billion", "1,200", "12%", "2019", "-1,200,000"])
    def test_another_value_is_not(self, written):
        assert unsupported_numbers(f"It was {written} then.", [REVENUE]) == (written,)

    @pytest.mark.parametrize("written", ["20%", "20.0 %", "20 percent"])
    def test_percent_and_trailing_zeros_do_not_matter(self, written):
        assert unsupported_numbers(f"It rose {written}.", [REVENUE]) == ()

    @pytest.mark.parametrize("written", ["1,577", "(1,577)", "-1,577", "$1,577 million", "$1.577 billion", "−$1,577"])
    def test_parentheses_are_negative_and_the_table_s_unit_counts(self, written):
        assert unsupported_numbers(f"Purchases were {written}.", [CASH_FLOW]) == ()

    def test_a_unit_that_the_table_does_not_state_is_not_supported(self):
        assert unsupported_numbers("They were $1,577 billion.", [CASH_FLOW]) == ("$1,577 billion",)

    def test_the_year_counts(self):
        assert unsupported_numbers("In 2016 it was 1,577.", [CASH_FLOW]) == ("2016",)

    def test_a_dash_between_numbers_is_no_minus(self):
        assert unsupported_numbers("In fiscal 2020-2021 revenue rose.", [REVENUE]) == ()

    def test_citation_marks_are_no_numbers(self):
        assert unsupported_numbers("Revenue rose 20% [7].", [REVENUE]) == ()

    def test_the_numbering_of_a_list_is_no_number(self):
        assert unsupported_numbers("1. Revenue rose 20%.\n2. It was $1.2 million.", [REVENUE]) == ()

    def test_a_number_at_the_start_of_a_line_that_numbers_no_list_counts(self):
        assert unsupported_numbers("37. That is how many.", [REVENUE]) == ("37",)

    def test_a_number_in_any_cited_element_is_supported(self):
        assert unsupported_numbers("1,577 of 1.2 million", [REVENUE, CASH_FLOW]) == ()

    def test_each_is_listed_once_as_written_in_order(self):
        assert unsupported_numbers("$5 billion, 7% and again $5 billion.", [REVENUE]) == ("$5 billion", "7%")


class TestBorneOut:
    def test_the_evidence_s_own_words_in_another_order(self):
        assert borne_out("An aerodynamic stall resulted from failure to maintain airspeed [1].", [CAUSE])

    def test_inflected_words_count(self):
        assert borne_out("Pilots failing to maintain airspeeds", ["a pilot failed, maintaining no airspeed"])

    def test_words_that_are_not_there(self):
        assert not borne_out("The engine lost power because of fuel starvation [1].", [CAUSE])

    def test_a_wrong_number_among_right_words(self):
        assert not borne_out("Net revenue for fiscal 2021 was $1,300,000 [1].", [REVENUE])

    def test_a_number_alone_may_be_borne_out(self):
        assert borne_out("$1.2 million [1]", [REVENUE])

    @pytest.mark.parametrize("text", ["", "[1]", "It is what it is."])
    def test_what_says_nothing_is_not(self, text):
        assert not borne_out(text, [CAUSE])

    def test_support_is_the_share_of_words_and_numbers_found(self):
        assert support("Revenue rose 20% sharply", ["Revenue: 20%"]) == pytest.approx(2 / 4)
