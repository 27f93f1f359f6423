"""Forms keep what was entered, whatever it is, and refuse what cannot be sent."""

from typing import Any

import pytest

from bot.appointments.form import link_in
from bot.appointments.form import read as read_text
from bot.appointments.phone import NotTextable, read_number
from bot.notifications.activity_types import ActivityType
from bot.notifications.form import read as read_notice
from sandbox import activities
from sandbox.stage import Stage
from tests.desk import Desk

SEATTLE = "(206) 342-8631"


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def test_of_a_pasted_invitation_the_link_stays(adele: Desk) -> None:
    await adele.say("text")
    invitation = "Dear patient, " * 100 + f"https://contoso.example <{meeting_of(adele)}> Bye."
    await adele.press("Review", join_link=invitation, phone_0="12")
    assert "too few digits" in adele.shown
    assert adele.values()["join_link"] == meeting_of(adele)
    assert "not a Teams join link" not in adele.shown


async def test_words_without_a_link_come_back_whole(adele: Desk) -> None:
    await adele.say("text")
    words = "Dear patient, " * 100
    await adele.press("Review", join_link=words, phone_0="12")
    assert adele.values()["join_link"] == words.strip()


async def test_a_list_in_another_script_comes_back_whole(adele: Desk) -> None:
    await adele.say("text")
    pasted = "\n".join(
        f"Александра Константиновна Иванова (206) 342-86{n:02d}, Pacific" for n in range(40)
    )
    await adele.press("Review", meeting=meeting_of(adele), phone_0="12", attendee_list=pasted)
    assert adele.values()["attendee_list"] == pasted
    assert "Only the beginning" not in adele.shown


@pytest.mark.parametrize("button", ["Review", "text.add_attendee"])
async def test_more_than_a_card_holds_stays_in_the_client(adele: Desk, button: str) -> None:
    await adele.say("text")
    before = adele.card
    pasted = "\n".join(f"имя {n}" for n in range(4_000))
    answer = await adele.press(button, meeting=meeting_of(adele), attendee_list=pasted)
    assert "your form is unchanged" in answer.body["value"]
    assert adele.card == before


async def test_another_kind_and_back_keeps_the_parameters(adele: Desk) -> None:
    await adele.say("notify")
    await adele.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    await adele.press(
        "notice.choose_kind", activity_type="systemDefault", param_deploymentId="6788662"
    )
    assert "6788662" not in str(adele.card)
    await adele.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    assert adele.values()["param_deploymentId"] == "6788662"


async def test_the_parameters_of_another_kind_outlast_the_review(adele: Desk) -> None:
    await adele.say("notify")
    await adele.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    await adele.press(
        "notice.choose_kind", activity_type="systemDefault", param_deploymentId="6788662"
    )
    megan = adele.stage.world.named("Megan").id
    await adele.press("Review", param_systemDefaultText="Hi", preview="x", recipients=megan)
    await adele.press("notice.edit")
    await adele.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    assert adele.values()["param_deploymentId"] == "6788662"


KIND = ActivityType("ask", "Ask", "{actor} asks")
BAD_LINKS = [
    "https://evil.example\\@teams.microsoft.com/l/x",
    "https://evil.example@teams.microsoft.com/l/x",
    "https://user:word@teams.microsoft.com/l/x",
    "https://teams.microsoft.com:444/l/x",
    "https://teams.microsoft.com\\.evil.example/l/x",
    "https://teams.microsoft.com.evil.example/l/x",
    "https://teams.microsoft.com/l/x\x00y",
    "https://teams.microsoft.com/l/x\ty",
    "https://teams.microsoft.com/l/x\\y",
    "\x01https://teams.microsoft.com/l/x",
    "https:/\\teams.microsoft.com/l/x",
    "https://teams.microsoft.com/l/",
]


@pytest.mark.parametrize("link", BAD_LINKS, ids=ascii)
def test_a_link_that_browsers_may_read_as_another_host_is_refused(link: str) -> None:
    person = "5e0a0a3e-0001-4d3f-8c1c-000000000001"
    values = {"activity_type": "ask", "preview": "x", "recipients": person, "topic": "link"}
    entry, errors = read_notice({**values, "topic_link": link}, [KIND])
    assert entry is None
    assert set(errors) == {"topic_link"}


@pytest.mark.parametrize("link", BAD_LINKS, ids=ascii)
@pytest.mark.parametrize("field", ["join_link", "meeting"])
def test_so_is_such_a_join_link(link: str, field: str) -> None:
    join_link = link.replace("/l/", "/meet/")
    values = {field: join_link, "message_type": "confirmation", "phone_0": SEATTLE}
    entry, errors = read_text({**values, "zone_0": "Pacific Standard Time"}, rows=1, own_zone="UTC")
    assert entry is None or link_in(join_link) != join_link
    assert errors.keys() <= {field}
    assert entry is None or entry.join_link.startswith("https://teams.microsoft.com/meet/x")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("1-800-234-5678", "toll-free"),
        ("(888) 234-5678", "toll-free"),
        ("+1 900 234 5678", "premium-rate"),
    ],
)
def test_numbers_that_get_no_texts_are_refused(number: str, kind: str) -> None:
    with pytest.raises(NotTextable, match=f"{kind} number"):
        read_number(number)


async def test_without_a_zone_on_the_activity_the_clients_own_counts(
    adele: Desk, stage: Stage
) -> None:
    await adele.say("signin")
    said: dict[str, Any] = activities.message(
        stage.world, adele.person, stage.teams.chat(adele.person), "text"
    )
    del said["localTimezone"]
    said["entities"][0]["timezone"] = "America/Denver"
    await stage.teams.send(said)
    assert "Mountain time" in adele.shown


async def test_the_form_says_people_and_has_its_language_last(adele: Desk) -> None:
    await adele.say("text")
    order = [name for name in adele.values() if name != "meeting"]
    assert order[0] == "join_link"
    assert order[-1] == "language"
    assert order.index("message_type") < order.index("phone_0") < order.index("when")
    assert "guest" not in adele.shown.lower()
    assert "attendee" not in adele.shown.lower()
