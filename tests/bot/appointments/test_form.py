"""The text form's values: a request, or a sentence for each field that needs another look."""

from typing import Any

import pytest

from bot.appointments.form import MAX_ATTENDEES, read

LINK = "https://teams.microsoft.com/meet/20000000000002?p=Zq0002xTPw"
GOOD = {
    "join_link": LINK,
    "message_type": "confirmation",
    "language": "en-US",
    "phone_0": "(206) 342-8631",
    "zone_0": "Pacific Standard Time",
}


def errors_of(**changed: str) -> dict[str, str]:
    entry, errors = read({**GOOD, **changed}, rows=3, own_zone="America/Denver")
    assert (entry is None) == bool(errors)
    return errors


def test_a_complete_form_is_read() -> None:
    entry, errors = read(GOOD, rows=2, own_zone="America/Denver")
    assert errors == {}
    assert entry is not None
    assert entry.join_link == LINK
    assert [attendee.number for attendee in entry.attendees] == ["+12063428631"]


@pytest.mark.parametrize(
    "link",
    [
        "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d",
        "https://teams.microsoft.com/meet/2123?p=abc",
        "Join: <https://teams.microsoft.com/meet/2123?p=abc>\nMeeting ID: 212",
    ],
)
def test_both_forms_of_a_join_link_are_taken_also_out_of_an_invitation(link: str) -> None:
    assert errors_of(join_link=link) == {}


@pytest.mark.parametrize(
    "link",
    [
        "http://teams.microsoft.com/meet/2123",
        "https://teams.microsoft.com.evil.example/meet/2123",
        "https://evil.example/?https://teams.microsoft.com/meet/2",
        "https://teams.microsoft.com/l/channel/19%3a",
        "javascript:alert(1)",
        "https://[",
        "meet me",
    ],
)
def test_any_other_link_is_refused_under_its_field(link: str) -> None:
    assert "join link" in errors_of(join_link=link)["join_link"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"join_link": ""}, "join_link"),
        ({"message_type": ""}, "message_type"),
        ({"message_type": "reminder!"}, "message_type"),
        ({"language": "xx-XX"}, "language"),
        ({"phone_0": ""}, "phone_0"),
        ({"phone_0": "+1 416 967 1111"}, "phone_0"),
        ({"zone_0": "Mars Time"}, "zone_0"),
        ({"phone_1": "12"}, "phone_1"),
        ({"attendee_list": "+1242421412"}, "attendee_list"),
        ({"attendee_list": "206 342 8631, Mars"}, "attendee_list"),
    ],
)
def test_each_wrong_value_is_an_error_of_its_own_field(changed: dict[str, str], field: str) -> None:
    assert field in errors_of(**changed)


def test_a_pasted_list_takes_a_zone_a_line_or_the_users_own() -> None:
    pasted = "425 703 6214, Eastern\n312-922-4122\n(206) 342-8631\tPT"
    entry, errors = read({**GOOD, "attendee_list": pasted}, rows=1, own_zone="America/Denver")
    assert errors == {}
    assert entry is not None
    zones = {attendee.number: attendee.zone for attendee in entry.attendees}
    assert zones["+14257036214"] == "Eastern Standard Time"
    assert zones["+13129224122"] == "Mountain Standard Time"
    assert entry.notes == ("A number that was entered twice gets one text.",)


def test_a_wrong_line_is_named_by_its_number() -> None:
    error = errors_of(attendee_list="425 703 6214\nnonsense\n+1 416 967 1111")["attendee_list"]
    assert "Line 2" in error
    assert "Line 3: This is a number of Canada" in error


def test_ten_thousand_pasted_numbers_are_refused_in_one_sentence() -> None:
    error = errors_of(attendee_list="\n".join(["425 703 6214"] * 10_000))["attendee_list"]
    assert "10000 lines" in error
    assert str(MAX_ATTENDEES) in error


def test_nothing_at_all_names_every_required_field() -> None:
    entry, errors = read({}, rows=2, own_zone="UTC")
    assert entry is None
    assert set(errors) == {"join_link", "message_type", "phone_0"}


def test_rows_beyond_those_a_form_has_are_not_read() -> None:
    values: dict[str, Any] = {**GOOD, "phone_9999": "425 703 6214"}
    entry, _ = read(values, rows=9999, own_zone="UTC")
    assert entry is not None
    assert len(entry.attendees) == 1
