"""What one person, one tenant or one connection may cost."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.delivery import hour
from bot.delivery.hour import TooManyDeliveries
from bot.delivery.ledger import Ledger
from bot.settings import Settings
from bot.teams import pace
from sandbox.stage import Stage
from tests.conftest import Serve
from tests.desk import Desk
from tests.thread import Thread

SEATTLE = "(206) 342-8631"
SMS = "sendVirtualAppointmentSms"


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def reviewed(desk: Desk) -> None:
    await desk.say("text")
    await desk.press("Review", meeting=meeting_of(desk), phone_0=SEATTLE)


async def test_more_than_the_hours_share_is_not_sent_and_can_be_sent_later(
    stage: Stage,
    serve: Serve,
    at_desk: Callable[[str], Desk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adele = at_desk("Adele")
    async with serve(DELIVERIES_PER_HOUR="2"):
        await adele.teams.install(adele.person)
        for _ in range(2):
            await reviewed(adele)
            await adele.press("text.send")
        await reviewed(adele)
        answer = await adele.press("text.send")
        assert "sent 2 times within an hour" in answer.body["value"]
        assert "you can send it in 60 minutes" in answer.body["value"]
        assert len(stage.world.accepted(SMS)) == 2
        monkeypatch.setattr(hour, "HOUR_MS", 1)  # as if it had passed
        await adele.press("text.send")  # the review is as it was
        assert len(stage.world.accepted(SMS)) == 3


async def test_a_second_press_of_what_was_sent_is_no_second_delivery(
    stage: Stage, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    async with serve(DELIVERIES_PER_HOUR="1"):
        await adele.teams.install(adele.person)
        await reviewed(adele)
        review = adele.card
        await adele.press("text.send")
        from sandbox import actions

        again = await adele.teams.press(
            adele.person, adele.message().id, actions.button(review, "text.send"), {}
        )
        assert "within an hour" not in str(again.body)
        assert len(stage.world.accepted(SMS)) == 1


async def test_the_hour_is_one_for_all_replicas_and_each_persons_own(
    database_url: str,
) -> None:
    from bot.actor import Actor
    from bot.delivery.database import Database
    from bot.delivery.models import Kind, NewDelivery, Place
    from bot.sealing import Seal

    one, other = Actor("t" * 36, "u" * 36), Actor("t" * 36, "v" * 36)
    database = Database(database_url)
    await database.open()
    replicas = [Ledger(database, Seal(["k" * 32], "ledger"), per_hour=5) for _ in range(2)]

    async def submit(number: int, actor: Actor) -> bool:
        wanted = NewDelivery(actor, f"form-{number}", Kind.TEXT, Place("x", "y"), {}, {})
        try:
            await replicas[number % 2].submit(wanted, [["somebody"]])
        except TooManyDeliveries:
            return False
        return True

    try:
        went = await asyncio.gather(*(submit(number, one) for number in range(16)))
        assert went.count(True) == 5
        assert await submit(99, other)
        first = went.index(True)
        assert await submit(first, one)  # that one stands in the ledger, and is shown
    finally:
        await database.close()


async def test_a_tenant_that_asks_without_end_is_turned_away_and_then_served_again(
    stage: Stage,
    serve: Serve,
    at_desk: Callable[[str], Desk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "BURST_S", 1.0)
    adele = at_desk("Adele")
    async with serve(TENANT_RATE="3"):
        said = await asyncio.gather(*(adele.teams.say(adele.person, "help") for _ in range(12)))
        assert set(said) == {200}
        titles = [str(card["body"][0]) for card in adele.cards]
        told = [title for title in titles if "Not now" in title]
        assert len(told) == 1  # once, not for each
        assert 3 <= len(titles) - 1 <= 6
        before = len(adele.cards)
        await asyncio.sleep(1.0)
        await adele.say("help")
        assert len(adele.cards) == before + 1


async def test_a_notice_for_more_people_than_the_limit_is_said_no_to(
    stage: Stage, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    lee = at_desk("Lee")
    others = [person.id for person in stage.world.people.values() if person.id != lee.person.id]
    async with serve(AUDIENCE_LIMIT="2"):
        await lee.teams.install(lee.person)
        await lee.say("notify")
        await lee.press("notice.choose_kind", activity_type="systemDefault")
        words = {"param_systemDefaultText": "The car park is closed.", "preview": "Until noon."}
        await lee.press("Review", recipients=",".join(others[:3]), **words)
        assert "lets a notice go to at most 2 people" in lee.shown
        assert lee.values()["recipients"] == ",".join(others[:3])
        await lee.press("Review", recipients=",".join(others[:2]))
        assert lee.has_button("notice.send")


@pytest.mark.parametrize("way", ["auto", "each", "at_once"])
async def test_nor_does_a_whole_group_get_around_it(
    stage: Stage, serve: Serve, at_desk: Callable[[str], Desk], way: str
) -> None:
    adele = at_desk("Adele")
    people = [stage.world.named(name) for name in ("Adele", "Megan", "Lee", "Diego")]
    group = stage.teams.group("Morning round", people)
    for limit, goes in (("2", False), ("3", True)):
        async with serve(AUDIENCE_LIMIT=limit):
            await adele.teams.install(adele.person)
            await adele.say("signin")
            thread = Thread(adele, group)
            await thread.say("notify")
            dialog = await thread.open()
            await dialog.press("Use this kind", activity_type="deploymentApprovalRequired")
            words = {"param_deploymentId": "7", "preview": "Please look."}
            await dialog.press("Review", audience="chat", way=way, **words)
            assert ("at most 2 people" in dialog.shown) is not goes


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Counted:
    def __init__(self) -> None:
        self.turns = 0

    async def on_turn(self, _context: Any) -> None:
        self.turns += 1


class Context:
    """As much of a turn's context as the pace looks at."""

    def __init__(self, tenant: str) -> None:
        from botbuilder.schema import Activity

        from bot.teams.adapter import RAW

        self.turn_state = {RAW: {"channelData": {"tenant": {"id": tenant}}}}
        self.activity = Activity(type="invoke")
        self.answers: list[Any] = []

    async def send_activity(self, activity: Any) -> None:
        self.answers.append(activity.value.status)


async def test_one_tenants_flood_costs_another_nothing_and_the_buckets_are_bounded() -> None:
    clock, bot = Clock(), Counted()
    paced = pace.Pace(bot, 2.0, tick=clock)
    loud, quiet = "0" * 8 + "-0000-0000-0000-" + "0" * 12, "1" * 8 + "-0000-0000-0000-" + "0" * 12
    flood = [Context(loud) for _ in range(50)]
    for context in flood:
        await paced.on_turn(context)  # type: ignore[arg-type]
    assert bot.turns == 20  # ten seconds' worth
    assert [c.answers for c in flood].count([429]) == 30
    await paced.on_turn(Context(quiet))  # type: ignore[arg-type]
    assert bot.turns == 21
    clock.now += 1.0
    for _ in range(5):
        await paced.on_turn(Context(loud))  # type: ignore[arg-type]
    assert bot.turns == 23
    for number in range(3_000):
        await paced.on_turn(Context(f"{number:08}-0000-0000-0000-000000000000"))  # type: ignore[arg-type]
    assert len(paced._buckets) <= 1_000


async def test_a_form_with_thousands_of_fields_or_a_field_without_end_is_said_no_to(
    herald: Settings, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    await adele.teams.install(adele.person)
    await adele.say("text")
    many = {f"field_{number}": "x" for number in range(3_000)}
    answer = await adele.press("Review", **many)
    assert answer.status == 200
    long = await adele.press("Review", subject="x" * 150_000)
    assert "at most 100,000" in str(long.body)
