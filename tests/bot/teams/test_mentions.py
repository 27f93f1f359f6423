"""What was said, and who was mentioned: entities are the source, whatever the text looks like."""

from typing import Any

import pytest

from bot.teams.commands import understand
from bot.teams.mentions import Mention, said

BOT = {"id": "28:app", "name": "Herald"}


def mention(who: str, name: str, text: str = "") -> dict[str, Any]:
    mentioned = {"id": who, "name": name}
    return {"type": "mention", "mentioned": mentioned, "text": text or f"<at>{name}</at>"}


ME = mention("28:app", "Herald")
ADELE = mention("29:adele", "Adele Vance")
MEGAN = mention("29:megan", "Megan Bowen")


def heard(text: str, *entities: object) -> tuple[str, list[str]]:
    found = said({"text": text, "entities": list(entities), "recipient": BOT})
    return found.words, [who.teams_id for who in found.people]


def at(name: str) -> str:
    return f"<at>{name}</at>"


def test_mentions_at_either_end_leave_the_words() -> None:
    text = f"{at('Herald')} notify {at('Adele Vance')} {at('Megan Bowen')} The build is red"
    assert heard(text, ME, ADELE, MEGAN) == (
        "notify The build is red",
        ["29:adele", "29:megan"],
    )
    text = f"{at('Herald')} notify The build is red, {at('Adele Vance')}"
    assert heard(text, ME, ADELE) == ("notify The build is red", ["29:adele"])
    assert heard(f"{at('Herald')} notify {at('Adele Vance')}.", ME, ADELE)[0] == "notify"


def test_a_mention_in_the_midst_of_words_stays_a_name() -> None:
    text = f"{at('Herald')} notify {at('Adele Vance')}: {at('Megan Bowen')}'s visit moved"
    words, people = heard(text, ME, ADELE, MEGAN)
    # Both are addressed; what comes first is left out, with what separates it.
    assert (words, people) == ("notify 's visit moved", ["29:adele", "29:megan"])
    text = f"{at('Herald')} notify please call {at('Megan Bowen')} back"
    assert heard(text, ME, MEGAN)[0] == "notify please call Megan Bowen back"


def test_the_bots_own_mention_is_taken_out_wherever_it_stands_and_as_often() -> None:
    for text in (
        f"{at('Herald')} notify now",
        f"notify {at('Herald')} now",
        f"notify now {at('Herald')}",
        f"{at('Herald')} notify {at('Herald')} now",
        f"{at('Herald')}&nbsp;notify\u00a0now",
    ):
        entities = [ME] * text.count("<at>")
        assert heard(text, *entities) == ("notify now", [])


def test_a_mention_of_the_bot_without_its_entity_is_one_all_the_same() -> None:
    assert heard(f"{at('Herald')} help") == ("help", [])
    assert heard(f"{at('HERALD')} help") == ("help", [])


@pytest.mark.parametrize("name", ["Signout Help", "Text", "notify", "Herald", "<b>", "a.b*", "\\1"])
def test_a_name_that_looks_like_a_command_is_a_name(name: str) -> None:
    somebody = mention("29:x", name)
    words, people = heard(f"{at('Herald')} {at(name)} history", ME, somebody)
    assert understand(words).command is not None
    assert words == "history"
    assert people == ["29:x"]


def test_what_looks_like_a_mention_in_the_text_is_none() -> None:
    words, people = heard(f"{at('Herald')} notify {at('Adele Vance')} hello", ME)
    assert words == "notify Adele Vance hello"
    assert people == []


def test_two_people_of_one_name_are_two() -> None:
    one, other = mention("29:a", "Alex Kim"), mention("29:b", "Alex Kim")
    text = f"{at('Herald')} notify {at('Alex Kim')} {at('Alex Kim')} lunch"
    assert heard(text, ME, one, other) == ("notify lunch", ["29:a", "29:b"])


def test_the_same_person_twice_is_one() -> None:
    text = f"{at('Herald')} notify {at('Adele Vance')} {at('Adele Vance')} lunch"
    assert heard(text, ME, ADELE, ADELE) == ("notify lunch", ["29:adele"])


@pytest.mark.parametrize(
    "entities",
    [
        None,
        "mention",
        {},
        [None, 5, "x"],
        [{"type": "mention"}],
        [{"type": "mention", "mentioned": None, "text": None}],
        [{"type": "mention", "mentioned": {"id": 7, "name": {}}, "text": ["<at>x</at>"]}],
        [{"type": "mention", "mentioned": {"id": ""}, "text": "<at>Herald</at>"}],
        [{"type": "mention", "mentioned": {"id": "x" * 500}, "text": "help"}],
        [{"type": ["mention"], "mentioned": {"id": "29:x"}, "text": "help"}],
    ],
    ids=str,
)
def test_misshapen_mentions_are_none(entities: object) -> None:
    found = said({"text": "<at>Herald</at> help", "entities": entities, "recipient": BOT})
    assert found.words == "help"
    assert found.people == ()


@pytest.mark.parametrize("raw", [{}, {"text": None}, {"text": 5}, {"text": ["x"]}, {"text": ""}])
def test_a_message_without_words_says_nothing(raw: dict[str, Any]) -> None:
    assert said(raw).words == ""


def test_a_text_of_separators_alone_is_read_at_once() -> None:
    text = f"{at('Herald')} notify {at('Adele Vance')}" + " ,;:\t" * 790
    assert heard(text, ME, ADELE) == ("notify", ["29:adele"])


def test_many_mentions_are_read_up_to_a_bound() -> None:
    crowd = [mention(f"29:{n}", f"Person {n}") for n in range(200)]
    text = "<at>Herald</at> notify " + " ".join(part["text"] for part in crowd) + " hello"
    found = said({"text": text, "entities": [ME, *crowd], "recipient": BOT})
    assert len(found.people) < 60
    assert found.people[0] == Mention("29:0", "Person 0")
