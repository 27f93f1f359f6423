"""Appointment texts at the Graph stand-in: what arrives, and what is refused."""

from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.posts import FIRST, SECOND, Poster


def one(**changes: Any) -> dict[str, Any]:
    attendee = {"phoneNumber": FIRST, "timeZone": "Pacific Standard Time"} | changes
    return {"attendees": [{k: v for k, v in attendee.items() if v is not None}]}


async def test_a_confirmation_reaches_every_phone_in_its_own_zone(
    poster: Poster, world: World
) -> None:
    reply = await poster.post(poster.texts, poster.text())

    assert (reply.status, reply.body) == (202, {})
    pacific, eastern = world.phones[FIRST][0], world.phones[SECOND][0]
    assert pacific.message_type == "confirmation"
    assert pacific.organizer == "Adele Vance"
    assert poster.meeting.subject in pacific.body
    assert poster.meeting.join_url in pacific.body
    assert pacific.body != eastern.body
    assert pacific.body.split(" Join:")[0].endswith(("PST.", "PDT."))
    assert eastern.body.split(" Join:")[0].endswith(("EST.", "EDT."))


@pytest.mark.parametrize("kind", ["confirmation", "reschedule", "cancellation"])
@pytest.mark.parametrize(
    ("asked", "language", "word"),
    [("", "en-US", "appointment"), ("es-MX, es;q=0.8", "es-MX", "cita"), ("tlh", "en-US", "app")],
)
async def test_a_text_is_written_in_the_language_that_was_asked_for(
    poster: Poster, world: World, kind: str, asked: str, language: str, word: str
) -> None:
    headers = {"Accept-Language": asked} if asked else None

    await poster.post(poster.texts, poster.text(messageType=kind), headers=headers)

    text = world.phones[FIRST][0]
    assert text.language == language
    assert word in text.body


async def test_a_reminder_goes_by_the_action_of_its_own(poster: Poster, world: World) -> None:
    body = one() | {"remindBeforeTimeInMinutesType": "mins15"}

    reply = await poster.post(poster.reminders, body)

    assert (reply.status, reply.body) == (202, {})
    assert world.phones[FIRST][0].message_type == "reminder"


async def test_the_longer_path_names_the_organizer(poster: Poster, world: World) -> None:
    adele, megan = world.named("Adele"), world.named("Megan")
    path = f"/onlineMeetings/{poster.meeting.id}/sendVirtualAppointmentSms"

    assert (await poster.post(f"/users/{adele.id}{path}", poster.text())).status == 202
    assert (await poster.post(f"/users/{megan.id}{path}", poster.text())).status == 403


BAD = [
    pytest.param(b"{", "JSON", id="JSON that breaks off"),
    pytest.param(b"\xff\xfe", "JSON", id="bytes that are no text"),
    pytest.param(
        b'{"messageType":"confirmation","messageType":"reschedule"}', "JSON", id="a name twice"
    ),
    pytest.param([], "object", id="a list for a body"),
    pytest.param({"sendAt": "2030-01-01T00:00:00Z"}, "sendAt", id="a send time, which is not one"),
    pytest.param({"MessageType": "confirmation"}, "MessageType", id="a name in another case"),
    pytest.param({"messageType": "reminder"}, "MessageType", id="an unknown message type"),
    pytest.param({"messageType": "unknownFutureValue"}, "MessageType", id="the future's member"),
    pytest.param({"messageType": 0}, "MessageType", id="a number for a message type"),
    pytest.param({"messageType": None}, "required", id="no message type"),
    pytest.param({"attendees": []}, "empty", id="no attendees"),
    pytest.param({"attendees": None}, "empty", id="attendees left out"),
    pytest.param({"attendees": "+12065550133"}, "collection", id="a number for a list"),
    pytest.param({"attendees": [None]}, "null", id="an attendee that is null"),
    pytest.param({"attendees": [FIRST]}, "object", id="an attendee that is a number"),
    pytest.param(one(name="Ann"), "name", id="an attendee with a name"),
    pytest.param(one(phoneNumber=12065550133), "Edm.String", id="a number that is no string"),
    pytest.param(one(phoneNumber=None), "phoneNumber", id="an attendee without a number"),
    pytest.param(one(phoneNumber=""), "phoneNumber", id="an empty number"),
    pytest.param(one(phoneNumber="+1242421412"), "phoneNumber", id="nine digits, as documented"),
    pytest.param(one(phoneNumber="+12423221234"), "phoneNumber", id="the Bahamas"),
    pytest.param(one(phoneNumber="+16135550123"), "phoneNumber", id="Canada"),
    pytest.param(one(phoneNumber="+18765550123"), "phoneNumber", id="Jamaica"),
    pytest.param(one(phoneNumber="+442071838750"), "phoneNumber", id="Britain"),
    pytest.param(one(phoneNumber="(206) 555-0133"), "phoneNumber", id="as people write it"),
    pytest.param(one(phoneNumber="+1 206 555 0133"), "phoneNumber", id="with spaces"),
    pytest.param(one(timeZone=None), "timeZone", id="an attendee without a zone"),
    pytest.param(one(timeZone="America/Los_Angeles"), "timeZone", id="an IANA zone"),
    pytest.param(one(timeZone="pacific standard time"), "timeZone", id="a zone in lower case"),
    pytest.param(one(timeZone="Pacific Daylight Time"), "timeZone", id="a season for a zone"),
]


@pytest.mark.parametrize(("changes", "word"), BAD)
async def test_a_wrong_text_is_400_and_reaches_nobody(
    poster: Poster, world: World, changes: Any, word: str
) -> None:
    body = poster.text(**changes) if isinstance(changes, dict) else changes

    reply = await poster.post(poster.texts, body)

    assert (reply.status, reply.code) == (400, "BadRequest")
    assert word in reply.message
    assert not world.phones
    assert not world.graph_calls[-1].took_effect


async def test_one_bad_number_refuses_all(poster: Poster, world: World) -> None:
    """The example of the documentation, as it stands there."""
    body = {
        "attendees": [
            {"phoneNumber": "+13129224122", "timeZone": "Pacific Standard Time"},
            {"phoneNumber": "+1242421412", "timeZone": "Eastern Standard Time"},
        ],
        "messageType": "confirmation",
    }

    assert (await poster.post(poster.texts, body)).status == 400
    assert not world.phones


@pytest.mark.parametrize(
    ("more", "word"),
    [
        pytest.param({}, "required", id="no time to remind before"),
        pytest.param({"remindBeforeTimeInMinutesType": "mins30"}, "Minutes", id="another time"),
        pytest.param({"messageType": "confirmation"}, "messageType", id="a message type"),
    ],
)
async def test_a_wrong_reminder_is_400(
    poster: Poster, world: World, more: dict[str, Any], word: str
) -> None:
    reply = await poster.post(poster.reminders, one() | more)

    assert reply.status == 400
    assert word in reply.message
    assert not world.phones


async def test_only_the_organizer_may_text(poster: Poster, world: World) -> None:
    poster.meeting.attendee_ids = (world.named("Megan").id,)

    reply = await poster.post(poster.texts, poster.text(), who="Megan")

    assert reply.status == 404
    assert not world.phones


async def test_an_organizer_without_premium_is_403(poster: Poster, world: World) -> None:
    world.named("Adele").has_premium = False

    reply = await poster.post(poster.texts, poster.text())

    assert (reply.status, reply.code) == (403, "Forbidden")
    assert "Teams Premium" in reply.message
    assert not world.phones


async def test_another_permission_is_not_enough(poster: Poster, world: World) -> None:
    reply = await poster.post(poster.texts, poster.text(), scopes=("TeamsActivity.Send",))

    assert reply.status == 403
    assert "VirtualAppointmentNotification.Send" in reply.message
    assert not world.phones


async def test_the_call_is_recorded_as_it_came(poster: Poster, world: World) -> None:
    await poster.post(
        poster.texts, poster.text(), headers={"client-request-id": "abc", "Accept-Language": "es"}
    )

    call = world.accepted("sendVirtualAppointmentSms")[0]
    assert call.path == f"/v1.0{poster.texts}"
    assert call.actor_id == world.named("Adele").id
    assert call.body == poster.text()
    assert (call.client_request_id, call.took_effect, call.answered) == ("abc", True, True)
    assert call.headers["accept-language"] == "es"
    assert "authorization" not in call.headers
