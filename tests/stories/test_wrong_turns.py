"""The same wrong turns on every surface where others are: what each of them comes to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.answers import problem_of
from sandbox.calls import Answer
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.desk import Desk
from tests.recorded import recorded

BULK = "sendActivityNotificationToRecipients"
ANOTHER_TENANT = "99999999-6c1f-4f4e-9d3d-0c4b3b1a7e01"
SURFACES = {
    "a channel": ("channel-task-fetch", "channel-task-submit", ""),
    "a group chat": ("group-task-fetch", "group-task-submit", ""),
    "the compose box": ("compose-fetch", "compose-submit", "notifyTeammates"),
    "a message's menu": ("compose-about-chat-message", "compose-submit", "notifyAboutMessage"),
}
OPENER = {"verb": "dialog.open", "command": "notify", "kept": "-"}


@dataclass
class Surface:
    """Where a form for a notice is opened and filled in, by recorded activities."""

    stage: Stage
    place: Conversation
    name: str

    async def fetch(self, desk: Desk, **more: str) -> Answer:
        return await self._told(desk, SURFACES[self.name][0], OPENER, **more)

    async def submit(self, desk: Desk, data: dict[str, Any], **more: str) -> Answer:
        return await self._told(desk, SURFACES[self.name][1], data, **more)

    async def _told(self, desk: Desk, payload: str, data: Any, tenant: str = "") -> Answer:
        given = {"data": data, "command": SURFACES[self.name][2], "words": "The lift is stuck"}
        given |= {"message__id": "1700000000001", "root__id": "1700000000001"}
        activity = recorded(payload, self.stage, desk.person, self.place, **given)
        if tenant:
            activity["channelData"]["tenant"]["id"] = tenant
            activity["conversation"]["tenantId"] = tenant
        answer = await self.stage.teams.send(activity)
        if not tenant:
            assert problem_of(activity["name"], answer.status, answer.body) == ""
        return answer

    async def opened(self, desk: Desk) -> dict[str, Any]:
        return card_of(await self.fetch(desk))

    async def pressed(
        self, desk: Desk, card: dict[str, Any], title: str, **entered: str
    ) -> dict[str, Any]:
        return card_of(await self.submit(desk, data_of(card, title, **entered)))

    async def reviewed(self, desk: Desk, **entered: str) -> dict[str, Any]:
        values = {"recipients": self.stage.world.named("Megan").id, "preview": "Soon"}
        values |= {"param_pendingRequestCount": "3", **entered}
        return await self.pressed(desk, await self.opened(desk), "Review", **values)


def card_of(answer: Answer) -> dict[str, Any]:
    card: dict[str, Any] = answer.body["task"]["value"]["card"]["content"]
    return card


def data_of(card: dict[str, Any], title: str, **entered: str) -> dict[str, Any]:
    return {**actions.inputs(card), **entered, **actions.button(card, title)["data"]}


@pytest.fixture(params=SURFACES)
def surface(herald: Settings, stage: Stage, request: pytest.FixtureRequest) -> Surface:
    people = [stage.world.named(name) for name in ("Adele", "Megan", "Lee")]
    if request.param == "a channel":
        place = stage.teams.channel(stage.teams.team("Care team", people))
    else:
        place = stage.teams.group("Ward", people)
        place.has_bot = request.param == "a group chat"
    return Surface(stage, place, request.param)


@pytest.fixture
async def adele(surface: Surface, at_desk: Callable[[str], Desk]) -> Desk:
    return await signed_in(at_desk("Adele"))


async def signed_in(desk: Desk) -> Desk:
    await desk.teams.install(desk.person)
    await desk.say("signin")
    return desk


def feed(surface: Surface) -> int:
    return len(surface.stage.world.feeds.get(surface.stage.world.named("Megan").id, []))


async def test_who_is_not_signed_in_is_led_to_it_and_gets_no_form(
    surface: Surface, at_desk: Callable[[str], Desk]
) -> None:
    answer = await surface.fetch(at_desk("Lee"))
    if "task" in answer.body:
        assert "/auth/dialog?" in answer.body["task"]["value"]["url"]
    else:
        assert answer.body["composeExtension"]["type"] in {"silentAuth", "auth"}


async def test_after_consent_was_taken_back_there_is_a_sign_in_and_no_form(
    surface: Surface, adele: Desk
) -> None:
    await adele.say("signout")
    adele.person.consents.clear()
    await test_who_is_not_signed_in_is_led_to_it_and_gets_no_form(surface, lambda _name: adele)


async def test_a_form_that_was_opened_twice_sends_each_of_its_own(
    surface: Surface, adele: Desk
) -> None:
    reviews = [await surface.reviewed(adele, preview=words) for words in ("One", "Two")]
    for review in reviews:
        await surface.pressed(adele, review, "Send now to 1 person")
    await surface.stage.world.until(lambda: feed(surface) == 2)


async def test_what_another_person_submits_is_refused_and_sends_nothing(
    surface: Surface, adele: Desk, at_desk: Callable[[str], Desk]
) -> None:
    review = await surface.reviewed(adele)
    lee = await signed_in(at_desk("Lee"))
    shown = await surface.pressed(lee, review, "Send now to 1 person")
    assert "somebody else" in actions.text_of(shown)
    assert not surface.stage.world.accepted(BULK)
    await surface.pressed(adele, review, "Send now to 1 person")
    await surface.stage.world.until(lambda: feed(surface) == 1)


async def test_from_another_tenant_nothing_opens_and_nothing_is_sent(
    surface: Surface, adele: Desk
) -> None:
    review = await surface.reviewed(adele)
    data = data_of(review, "Send now to 1 person")
    for answer in (
        await surface.fetch(adele, tenant=ANOTHER_TENANT),
        await surface.submit(adele, data, tenant=ANOTHER_TENANT),
    ):
        assert answer.status == 403
    assert not surface.stage.world.accepted(BULK)


async def test_after_the_place_is_gone_an_open_form_still_sends_and_its_owner_is_told(
    surface: Surface, adele: Desk
) -> None:
    review = await surface.reviewed(adele)
    if surface.place.team:
        await adele.teams.delete_team(adele.person, surface.place.team)
    surface.place.has_bot = False
    before = len(adele.cards)
    shown = await surface.pressed(adele, review, "Send now to 1 person")
    await surface.stage.world.until(lambda: feed(surface) == 1)
    told = "Accepted by Microsoft"
    await surface.stage.world.until(
        lambda: (
            told in actions.text_of(shown)
            or any(told in actions.text_of(card) for card in adele.cards[before:])
        )
    )
