"""Numbers as people write them, and the sentence for each that cannot be texted."""

import pytest

from bot.appointments.phone import NotTextable, as_read, last_four, masked, read_number


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("(206) 342-8631", "+12063428631"),
        ("206.342.8631", "+12063428631"),
        ("+1 206 342 8631", "+12063428631"),
        ("1-206-342-8631", "+12063428631"),
        ("tel:+1-206-342-8631", "+12063428631"),
        ("\u202e206 342 8631\u202c", "+12063428631"),
        ("２０６３４２８６３１", "+12063428631"),
        ("+1 (312) 922-4122", "+13129224122"),
    ],
)
def test_a_number_of_the_united_states_is_read_however_it_is_written(
    written: str, read: str
) -> None:
    assert read_number(written) == read


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("+1242421412", "too few digits"),  # the documentation's own second example
        ("+12424214123", "the Bahamas"),
        ("+1 416 967 1111", "Canada"),
        ("416-967-1111", "Canada"),
        ("+1 876 922 0210", "Jamaica"),
        ("+44 20 7946 0958", "the United Kingdom"),
        ("+49 30 901820", "Germany"),
        ("555-0142", "area code"),
        ("+1 206 342 8631 99", "too many digits"),
        ("+1 555 555 5555", "not in use"),
        ("call me", "not a phone number"),
        ("📞", "not a phone number"),
        ("", "not a phone number"),
        ("206 342 8631 ext. 5", "extension"),
        ("[206](https://evil.example)", ""),
    ],
)
def test_any_other_number_is_refused_with_a_sentence_that_says_why(written: str, why: str) -> None:
    with pytest.raises(NotTextable) as refused:
        read_number(written)
    assert why in str(refused.value)
    assert str(refused.value).endswith((".", "code."))


def test_outside_its_owners_form_only_the_last_four_digits_are_shown() -> None:
    assert as_read("+12063428631") == "(206) 342-8631"
    assert last_four("+12063428631") == "the number ending in 8631"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Ms. Jones waits, call (206) 342-8631.", "Ms. Jones waits, call …8631."),
        ("+1 206 342 8631 or 206.342.8632", "…8631 or …8632"),
        ("2063428631", "…8631"),
        ("call 342-8631 now", "call …8631 now"),
        ("+44 20 7946 0958", "…0958"),
        ("Room 4 is free on 2026-12-01 at 9", "Room 4 is free on 2026-12-01 at 9"),
        ("Approve deployment 6788662", "Approve deployment 6788662"),
    ],
)
def test_of_a_number_among_words_the_last_four_digits_stay(words: str, shown: str) -> None:
    assert masked(words) == shown
