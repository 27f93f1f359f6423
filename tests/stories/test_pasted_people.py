"""A pasted list of addresses and names: found, offered where several may be meant, or kept."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.stage import Stage
from sandbox.world import Person
from tests.desk import Desk

BULK = "sendActivityNotificationToRecipients"
SAID = {"param_deploymentId": "7", "preview": "Please look."}


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Adele")
    await desk.teams.install(desk.person)
    await desk.say("notify")
    await desk.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    return desk


def another(stage: Stage, name: str, n: int = 1) -> Person:
    person = Person(
        id=f"c{n:07d}-0000-4000-8000-{n:012d}",
        name=name,
        mail=f"{name.lower().replace(' ', '.')}.{n}@contoso-clinic.example",
        title="Staff",
        zone="UTC",
    )
    stage.world.people[person.id] = person
    return person


def asked(card: dict[str, Any]) -> list[dict[str, Any]]:
    parts = actions.elements(card)
    return [part for part in parts if str(part.get("id", "")).startswith("which_")]


def notified(stage: Stage) -> set[str]:
    calls = stage.world.accepted(BULK)
    ids = [who["userId"] for call in calls for who in call.body["recipients"]]
    assert len(ids) == len(set(ids))
    return {stage.world.person(key).name for key in ids}


async def test_names_and_addresses_are_found_together(adele: Desk, stage: Stage) -> None:
    lee = stage.world.named("Lee").mail
    listed = f"Megan Bowen\nVance, Adele <{lee}>; Siciliani, Diego\nisaiah langer"
    await adele.press("Review", **SAID, recipient_list=listed)
    assert "4 people" in adele.shown
    for name in ("Megan Bowen", "Lee Gu", "Diego Siciliani", "Isaiah Langer"):
        assert name in adele.shown
    await adele.press("notice.send")
    assert notified(stage) == {"Megan Bowen", "Lee Gu", "Diego Siciliani", "Isaiah Langer"}


async def test_part_of_a_name_is_enough_where_it_is_one_persons(adele: Desk) -> None:
    await adele.press("Review", **SAID, recipient_list="Megan\nSiciliani")
    assert "Megan Bowen, Diego Siciliani" in adele.shown


async def test_where_several_may_be_meant_they_are_offered_and_one_is_chosen(
    adele: Desk, stage: Stage
) -> None:
    others = [another(stage, "Megan Smith", 1), another(stage, "Megan Jones", 2)]
    await adele.press("Review", **SAID, recipient_list="Megan\nLee Gu")
    assert "Several people may be meant: Megan" in adele.shown
    [field] = asked(adele.card)
    assert "Megan" in field["label"]
    offered = {choice["title"]: choice["value"] for choice in field["choices"]}
    assert len(offered) == 4
    assert others[0].mail in str(offered)
    await adele.press("Review", **SAID, **{field["id"]: others[0].id})
    assert "2 people" in adele.shown
    assert "Megan Smith" in adele.shown
    await adele.press("notice.edit")
    assert adele.values()["recipients"] == others[0].id
    assert adele.values()["recipient_list"] == "Lee Gu"
    await adele.press("Review")
    await adele.press("notice.send")
    assert notified(stage) == {"Megan Smith", "Lee Gu"}


async def test_none_of_them_leaves_the_name_for_mending(adele: Desk, stage: Stage) -> None:
    another(stage, "Megan Smith")
    await adele.press("Review", **SAID, recipient_list="Megan\nLee Gu")
    [field] = asked(adele.card)
    await adele.press("Review", **SAID, **{field["id"]: "none"})
    assert not adele.has_button("notice.send")
    assert "Megan" in adele.values()["recipient_list"]


async def test_the_one_with_just_that_name_is_taken_though_others_begin_so(
    adele: Desk, stage: Stage
) -> None:
    another(stage, "Megan Bowen-Smith")
    await adele.press("Review", **SAID, recipient_list="megan bowen")
    assert "1 person" in adele.shown
    assert "Megan Bowen" in adele.shown
    assert "Smith" not in adele.shown


async def test_two_of_the_same_name_are_told_apart_by_address(adele: Desk, stage: Stage) -> None:
    twin = another(stage, "Megan Bowen")
    await adele.press("Review", **SAID, recipient_list="Megan Bowen")
    [field] = asked(adele.card)
    assert twin.mail in str(field["choices"])
    assert stage.world.named("Megan").mail in str(field["choices"])


async def test_what_could_not_be_found_is_listed_and_kept(adele: Desk, stage: Stage) -> None:
    listed = "Megan Bowen\nNobody Knows\nnobody@contoso-clinic.example"
    await adele.press("Review", **SAID, recipient_list=listed)
    assert "nobody@contoso-clinic.example, Nobody Knows" in adele.shown
    assert adele.values()["recipient_list"] == listed
    assert not adele.has_button("notice.send")


async def test_what_is_neither_is_said(adele: Desk) -> None:
    await adele.press("Review", **SAID, recipient_list="Megan Bowen\nmegan@\n12345")
    assert "Neither an e-mail address nor a name: “megan@”, “12345”" in adele.shown


async def test_guests_are_left_out_and_named(adele: Desk, stage: Stage) -> None:
    grady = stage.world.named("Grady")
    await adele.press("Review", **SAID, recipient_list=f"{grady.mail}\nMegan Bowen")
    assert "1 person" in adele.shown
    assert "A guest (Grady Archie)" in adele.shown
    await adele.press("notice.send")
    assert notified(stage) == {"Megan Bowen"}


async def test_a_guest_alone_is_nobody_to_notify(adele: Desk, stage: Stage) -> None:
    await adele.press("Review", **SAID, recipients=stage.world.named("Grady").id)
    assert "Nobody is left to notify" in adele.shown
    assert not adele.has_button("notice.send")


async def test_the_same_person_by_name_address_and_picker_gets_one_notice(
    adele: Desk, stage: Stage
) -> None:
    megan = stage.world.named("Megan")
    listed = f"Megan Bowen\n{megan.mail}\nMEGAN  BOWEN"
    await adele.press("Review", **SAID, recipient_list=listed, recipients=megan.id)
    assert "1 person" in adele.shown
    assert "named twice" in adele.shown
    await adele.press("notice.send")
    assert notified(stage) == {"Megan Bowen"}


async def test_the_sender_by_name_is_left_out(adele: Desk, stage: Stage) -> None:
    await adele.press("Review", **SAID, recipient_list="Adele Vance\nLee Gu")
    assert "1 person" in adele.shown
    assert "You: nobody can send" in adele.shown


@pytest.mark.parametrize(
    "name", ["O'Brien", "a%27 or 1 eq 1", "x') or startswith(mail,'m", "Ünsal Örs", "李 雷"]
)
async def test_a_name_stays_a_name_whatever_stands_in_it(
    adele: Desk, stage: Stage, name: str
) -> None:
    person = another(stage, name)
    await adele.press("Review", **SAID, recipient_list=name)
    if "@" in name or not any(c.isalpha() for c in name):
        assert not adele.has_button("notice.send")
        return
    if adele.has_button("notice.send"):
        await adele.press("notice.send")
        assert notified(stage) == {person.name}
    else:
        assert "Not found" in adele.shown or "Neither" in adele.shown


async def test_a_chosen_id_is_looked_up_and_never_believed(adele: Desk, stage: Stage) -> None:
    another(stage, "Megan Smith")
    await adele.press("Review", **SAID, recipient_list="Megan\nLee Gu")
    [field] = asked(adele.card)
    await adele.press("Review", **SAID, **{field["id"]: "c9999999-0000-4000-8000-000000000009"})
    assert "no longer in your organization" in adele.shown
    await adele.press("Review", **SAID, **{"which_zz": "x", "which_": "y"})
    assert not adele.has_button("notice.send")


async def test_names_are_asked_for_in_batches(adele: Desk, stage: Stage) -> None:
    people = [another(stage, f"Person Number{n}x", n) for n in range(1, 61)]
    before = len(stage.world.graph_calls)
    await adele.press("Review", **SAID, recipient_list="\n".join(p.name for p in people))
    assert "60 people" in adele.shown
    asked_for = [c for c in stage.world.graph_calls[before:] if c.path.endswith("$batch")]
    assert len(asked_for) == 3
