"""Claims challenges and conditional access: answered silently, or by the person."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.errors import SignInNeeded
from bot.identity import challenge
from bot.identity.obo import NOTIFY, TEXT
from sandbox.stage import Stage
from tests.desk import Desk
from tests.stories.test_sign_in import complete, sign_in_link

SEATTLE = "(206) 342-8631"
SMS = "sendVirtualAppointmentSms"


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def test_a_challenge_while_reading_is_answered_without_a_word(
    adele: Desk, stage: Stage
) -> None:
    await adele.say("text")
    before = len(stage.entra.requests)
    stage.entra.challenge(adele.person)
    await adele.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)
    assert adele.has_button("text.send")
    assert [one.grant for one in stage.entra.requests[before:]] == ["refresh_token"]


async def test_a_challenge_to_a_send_is_answered_and_it_goes_once(
    adele: Desk, stage: Stage
) -> None:
    await adele.say("text")
    await adele.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)
    stage.entra.challenge(adele.person)
    await adele.press("text.send")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)
    answers = [call.status for call in stage.world.graph_calls if SMS in call.path]
    assert answers == [401, 202]


async def test_a_challenge_that_wants_the_person_waits_for_them_and_then_goes_on(
    adele: Desk, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    await adele.say("text")
    await adele.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)
    stage.entra.challenge(adele.person, in_person=True)
    await adele.press("text.send")
    await stage.world.until(lambda: "sign in" in adele.shown.lower())
    assert stage.world.accepted(SMS) == []
    await adele.say("signin")
    code = await complete(browser, stage, sign_in_link(adele), adele.person)
    await adele.teams.verify_state(adele.person, code)
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)


async def test_another_replica_passes_on_the_challenge_that_one_has_heard(
    home: Any, another: Callable[..., Any]
) -> None:
    actor = await home.signed_in("Adele", (*NOTIFY, *TEXT))
    token = await home.identity.token(actor, TEXT)
    person, _ = home.someone("Adele")
    home.entra.challenge(person)
    claims = home.entra.grants.challenges.unmet({"oid": person.id, "xms_cc": ["CP1"]})
    await home.identity.challenged(token.value, base64.b64encode(claims.encode()).decode())
    other = another()
    renewed = await other.identity.token(actor, TEXT)
    assert home.entra.grants.challenges.unmet(home.entra.tokens.check(renewed.value, GRAPH)) == ""


GRAPH = "https://graph.microsoft.com"


async def test_what_conditional_access_wants_at_the_first_sign_in_is_kept_for_the_pop_up(
    home: Any,
) -> None:
    person, actor = home.someone("Adele")
    home.entra.challenge(person, in_person=True)
    with pytest.raises(SignInNeeded) as refused:
        await home.identity.exchange(actor, home.assertion("Adele"), TEXT)
    assert "nbf" in refused.value.claims
    link = await home.identity.sign_in_link(actor, TEXT)
    departure = await home.identity.pop_up.depart(parse_qs(urlsplit(link).query)["s"][0])
    [claims] = parse_qs(urlsplit(departure.location).query)["claims"]
    assert json.loads(claims)["access_token"]["nbf"]


async def test_a_challenge_of_a_token_that_was_not_given_here_changes_nothing(home: Any) -> None:
    actor = await home.signed_in("Adele", TEXT)
    asked = home.asked()
    await home.identity.challenged("a.b.c", base64.b64encode(b'{"access_token":{}}').decode())
    assert await home.identity.instead_of("a.b.c") is None
    await home.identity.token(actor, TEXT)
    assert home.asked() == asked


async def test_many_refusals_of_one_token_cost_one_renewal(home: Any) -> None:
    actor = await home.signed_in("Adele", TEXT)
    token = await home.identity.token(actor, TEXT)
    first = await home.identity.instead_of(token.value)
    assert await home.identity.instead_of(token.value) == first != token.value
    assert home.asked("refresh_token") == 1


async def test_a_late_refusal_of_an_old_token_takes_nothing_from_the_new_one(home: Any) -> None:
    actor = await home.signed_in("Adele", TEXT)
    old = await home.identity.token(actor, TEXT)
    new = await home.identity.instead_of(old.value)
    asked = home.asked()
    claims = base64.b64encode(b'{"access_token":{"nbf":{"value":"1"}}}').decode()
    await home.identity.challenged(old.value, claims)
    assert (await home.identity.token(actor, TEXT)).value == new
    assert home.asked() == asked


@pytest.mark.parametrize(
    "header",
    ["", "%%%", "bm90IGpzb24=", "W10=", "e30=", "eyJhY2Nlc3NfdG9rZW4iOiAxfQ==", "e" * 9_000],
)
def test_what_is_no_challenge_is_ignored(header: str) -> None:
    assert challenge.decoded(header) == ""


def test_base64_is_read_in_either_alphabet_with_or_without_padding() -> None:
    claims = '{"access_token":{"nbf":{"value":"1?>~"}}}'
    plain = base64.b64encode(claims.encode()).decode()
    url = base64.urlsafe_b64encode(claims.encode()).decode()
    assert {challenge.decoded(one) for one in (plain, url, url.rstrip("="))} == {claims}
