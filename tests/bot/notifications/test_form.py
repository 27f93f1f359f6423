"""The notification form's values: an entry, or a sentence for each field."""

import pytest

from bot.notifications.activity_types import ActivityType, read_activity_types, words
from bot.notifications.form import read

DEPLOYMENT = ActivityType(
    "deploymentApprovalRequired", "A deployment waits", "{actor} asks about {deploymentId}"
)
FREE = ActivityType("systemDefault", "Your own words", "{actor} {systemDefaultText}")
KINDS = (DEPLOYMENT, FREE)
SOMEBODY = "a0000001-0000-4000-8000-000000000001"
GOOD = {
    "activity_type": "deploymentApprovalRequired",
    "param_deploymentId": "6788662",
    "topic": "chat",
    "preview": "Please approve before noon.",
    "recipients": SOMEBODY,
}


def test_a_complete_form_is_read() -> None:
    entry, errors = read(GOOD, KINDS)
    assert errors == {}
    assert entry is not None
    assert entry.parameters == {"deploymentId": "6788662"}
    assert entry.picked_ids == (SOMEBODY,)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"activity_type": "unheardOf"}, "activity_type"),
        ({"param_deploymentId": "   "}, "param_deploymentId"),
        ({"param_deploymentId": "x" * 121}, "param_deploymentId"),
        ({"activity_type": "systemDefault"}, "param_systemDefaultText"),
        ({"topic": "nowhere"}, "topic"),
        ({"topic": "link", "topic_link": ""}, "topic_link"),
        ({"topic": "link", "topic_link": "https://example.com/l/x"}, "topic_link"),
        ({"topic": "link", "topic_link": "https://teams.microsoft.com/x"}, "topic_link"),
        (
            {"topic": "link", "topic_link": "https://teams.microsoft.com/l/" + "a" * 1024},
            "topic_link",
        ),
        ({"topic": "link", "topic_link": "https://teams.microsoft.com/l/a b"}, "topic_link"),
        ({"topic": "link", "topic_link": "https://["}, "topic_link"),
        ({"preview": ""}, "preview"),
        ({"preview": "x" * 151}, "preview"),
        ({"recipients": ""}, "recipients"),
        ({"recipients": "not-an-id"}, "recipients"),
        ({"recipient_list": "adele@clinic"}, "recipient_list"),
    ],
)
def test_each_wrong_value_is_an_error_of_its_own_field(changed: dict[str, str], field: str) -> None:
    entry, errors = read({**GOOD, **changed}, KINDS)
    assert entry is None
    assert field in errors


def test_addresses_are_read_as_mail_clients_copy_them() -> None:
    pasted = "Adele Vance <Adele@Clinic.example>; megan@clinic.example,\nlee@clinic.example"
    entry, errors = read({**GOOD, "recipient_list": pasted}, KINDS)
    assert errors == {}
    assert entry is not None
    assert entry.addresses == (
        "adele@clinic.example",
        "megan@clinic.example",
        "lee@clinic.example",
    )


def test_the_kinds_are_those_of_the_manifest_and_free_text_last() -> None:
    kinds = read_activity_types()
    names = [kind.type for kind in kinds]
    assert {"pendingFinanceApprovalRequests", "deploymentApprovalRequired"} <= set(names)
    assert names[-1] == "systemDefault"


def test_a_template_is_filled_as_the_feed_shows_it() -> None:
    assert DEPLOYMENT.parameters == ("deploymentId",)
    assert DEPLOYMENT.filled({"deploymentId": "7"}, actor="Adele") == "Adele asks about 7"
    assert words("pendingRequestCount") == "Pending request count"
