"""Who gets a notice: long audiences, changed ones, slow look-ups, names."""

import pytest

from bot.teams import answers, belated
from sandbox import actions
from sandbox.stage import Stage
from sandbox.world import Person
from tests.desk import Desk

BULK = "sendActivityNotificationToRecipients"


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not found in time is said beside the form, however busy the machine is.

    So looking ends early, and there is time to say so and to draw a long list.
    """
    monkeypatch.setattr(belated, "GRACE_S", 20.0)
    monkeypatch.setattr(answers, "WITHIN_IN_CHAT_S", 1.5)
    monkeypatch.setattr(answers, "WITHIN_S", 1.5)


def crowd(stage: Stage, number: int) -> list[Person]:
    people = [
        Person(
            id=f"b{n:07d}-0000-4000-8000-{n:012d}",
            name=f"Person {n}",
            mail=f"p{n}@contoso-clinic.example",
            title="Staff",
            zone="UTC",
        )
        for n in range(number)
    ]
    stage.world.people |= {person.id: person for person in people}
    return people


def pasted(people: list[Person]) -> str:
    return "\n".join(person.mail for person in people)


async def opened(desk: Desk) -> None:
    await desk.say("notify")
    await desk.press("notice.choose_kind", activity_type="deploymentApprovalRequired")


async def reviewed(desk: Desk, *names: str, **more: str) -> None:
    await opened(desk)
    ids = ",".join(desk.stage.world.named(name).id for name in names)
    values = {"param_deploymentId": "7", "preview": "Please look.", "recipients": ids}
    for _ in range(20):
        # A long list may take more than one press: each goes on where the last ended.
        answer = await desk.press("Review", **{**values, **more})
        if desk.has_button("notice.send"):
            return
        assert "once more" in str(answer.body)
    raise AssertionError("never gets to the review")


def reached(stage: Stage) -> set[str]:
    return {who["userId"] for call in stage.world.accepted(BULK) for who in call.body["recipients"]}


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("number", [250, 1_000])
async def test_many_people_can_be_changed_and_sent_again(
    adele: Desk, stage: Stage, number: int
) -> None:
    people = crowd(stage, number)
    for person in people:
        person.has_app = False
    await reviewed(adele, recipient_list=pasted(people))
    await adele.press("notice.send")
    await stage.world.until(lambda: "Not accepted" in adele.shown, timeout_s=20)
    answer = await adele.press("delivery.change")
    assert "preview" in adele.values(), answer.body
    assert adele.values()["preview"] == "Please look."

    for person in people:
        person.has_app = True
    await adele.press("Review", preview="Please look now.")
    assert f"{number:,} people" in adele.shown
    await adele.press("notice.send")
    await stage.world.until(lambda: len(reached(stage)) == number, timeout_s=20)
    assert reached(stage) == {person.id for person in people}


@pytest.mark.usefixtures("unhurried")
async def test_people_are_added_to_a_long_audience_when_editing(adele: Desk, stage: Stage) -> None:
    people = crowd(stage, 1_000)
    await reviewed(adele, recipient_list=pasted(people))
    await adele.press("notice.edit")
    assert "The 1,000 people as before" in str(adele.card)
    assert "Person 0" in adele.shown
    await adele.press("Review", recipients=stage.world.named("Megan").id)
    assert "1,001 people" in adele.shown
    await adele.press("notice.edit")
    assert "The 1,001 people as before" in str(adele.card)


@pytest.mark.usefixtures("unhurried")
async def test_a_long_audience_is_chosen_anew(adele: Desk, stage: Stage) -> None:
    await reviewed(adele, recipient_list=pasted(crowd(stage, 1_000)))
    await adele.press("notice.edit")
    answer = await adele.press("Review", keep_audience="new")
    assert answer.ok
    assert "Choose at least one" in adele.shown
    assert adele.values()["keep_audience"] == "new"
    await adele.press("Review", keep_audience="new", recipients=stage.world.named("Megan").id)
    assert "1 person" in adele.shown
    await adele.press("notice.edit")
    assert adele.values()["recipients"] == stage.world.named("Megan").id
    assert "keep_audience" not in adele.values()


async def test_a_kept_audience_is_the_forms_own_and_cannot_be_asked_for(
    adele: Desk, stage: Stage
) -> None:
    await opened(adele)
    await adele.press("Review", param_deploymentId="7", preview="x", keep_audience="keep")
    assert "not kept any more" in adele.shown
    assert not adele.has_button("notice.send")


async def test_the_sender_among_the_picked_is_no_error_when_editing(adele: Desk) -> None:
    await reviewed(adele, "Adele", "Megan")
    await adele.press("notice.edit")
    assert "not fit on this card" not in adele.shown
    assert "Adele Vance" in str(adele.card)


async def test_ids_in_capitals_and_with_spaces_are_the_same_people(
    adele: Desk, stage: Stage
) -> None:
    ids = [stage.world.named(name).id.upper() for name in ("Megan", "Lee")]
    await opened(adele)
    await adele.press(
        "Review", param_deploymentId="7", preview="x", recipients=f" {ids[0]} , {ids[1]},{ids[0]}"
    )
    assert "2 people" in adele.shown
    await adele.press("notice.edit")
    assert "not fit on this card" not in adele.shown
    [picker] = [part for part in actions.elements(adele.card) if part.get("id") == "recipients"]
    assert {choice["title"] for choice in picker["choices"]} == {"Megan Bowen", "Lee Gu"}


async def test_250_people_are_reviewed_though_graph_takes_half_a_second(
    adele: Desk, stage: Stage
) -> None:
    people = crowd(stage, 250)
    await opened(adele)
    stage.world.faults.slow_s = 0.5  # an ordinary $batch of twenty look-ups
    values = {"param_deploymentId": "7", "preview": "x", "recipient_list": pasted(people)}
    answer = await adele.press("Review", **values)
    assert not answer.late
    assert adele.has_button("notice.send")


async def test_when_graph_is_slow_the_second_press_goes_on_where_the_first_ended(
    adele: Desk, stage: Stage
) -> None:
    people = crowd(stage, 250)
    await opened(adele)
    stage.world.faults.slow_s = 1.2
    values = {"param_deploymentId": "7", "preview": "x", "recipient_list": pasted(people)}
    for _ in range(3):
        answer = await adele.press("Review", **values)
        assert not answer.late
        if adele.has_button("notice.send"):
            return
        assert "once more" in adele.shown
    raise AssertionError("never gets to the review")


async def test_names_that_come_late_do_not_hold_the_form_up(adele: Desk, stage: Stage) -> None:
    await opened(adele)
    stage.world.faults.slow_s = 4.0
    answer = await adele.press(
        "notice.choose_kind",
        activity_type="systemDefault",
        recipients=stage.world.named("Megan").id,
    )
    assert not answer.late
    assert adele.values()["recipients"] == stage.world.named("Megan").id


async def test_the_review_names_the_sender_once_and_as_the_feed_does(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele, "Megan")
    review = _runs(adele)
    assert review.count("Adele Vance") == 1
    await adele.press("notice.send")
    [item] = stage.world.feeds[stage.world.named("Megan").id]
    assert item.text in review


async def test_in_ones_own_words_the_review_shows_just_them(adele: Desk, stage: Stage) -> None:
    await adele.say("notify")
    await adele.press("notice.choose_kind", activity_type="systemDefault")
    await adele.press(
        "Review",
        param_systemDefaultText="The kitchen is open.",
        preview="x",
        recipients=stage.world.named("Megan").id,
    )
    assert "The kitchen is open." in _runs(adele)
    assert "Adele Vance" not in _runs(adele)
    await adele.press("notice.send")
    [item] = stage.world.feeds[stage.world.named("Megan").id]
    assert item.text == "The kitchen is open."


def _runs(desk: Desk) -> str:
    parts = actions.elements(desk.card)
    return " ".join(" ".join(str(p["text"]) for p in parts if p["type"] == "TextRun").split())
