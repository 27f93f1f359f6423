"""What the forms show of what was entered, and of what is wrong with it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cards.delivery import DeliveryView, delivery_card
from cards.elements import AdaptiveCard, ChoiceSet, payload
from cards.fields import cut
from cards.kept import KeptView, kept
from cards.notice_form import NoticeFormView, notice_form, spelled
from cards.text_form import MAX_ROWS, Choice, TextFormView, text_form
from tests.cards.samples import ALL_ZONES, KINDS, LANGUAGES, MEETINGS, PEOPLE, ZONES
from tests.cards.test_gallery import of_type, words_in

TEXT = TextFormView("form-1", 2, MEETINGS, ZONES, LANGUAGES)
NOTICE = NoticeFormView("form-2", KINDS, KINDS[0].value, "{actor} asks about {deploymentId}", ())
DELIVERY = DeliveryView(
    "d1", "d1", "text", "Confirmation text", "A visit", "accepted", 2, accepted=2
)


def inputs(card: AdaptiveCard) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for entry in of_type(payload(card), "Input.")}


def filled(
    view: TextFormView, values: Mapping[str, str], errors: Mapping[str, str] | None = None
) -> Any:
    return payload(text_form(replace(view, values=values, errors=errors or {})))


def test_every_value_stays_when_something_is_wrong() -> None:
    values = {
        "meeting": MEETINGS[1].value,
        "join_link": "https://example.com",
        "message_type": "cancellation",
        "language": "es-US",
        "phone_0": "+1 242 421 412",
        "zone_0": "Hawaiian Standard Time",
        "phone_1": "\u0645 12",
        "zone_1": "Alaskan Standard Time",
        "attendee_list": "+12065550142, Pacific\n  (602) 555-0187\tArizona",
    }
    card = text_form(replace(TEXT, values=values, errors=dict.fromkeys(values, "No.")))
    assert {name: entry["value"] for name, entry in inputs(card).items()} == values


def test_an_error_stands_right_under_its_field_and_in_its_label() -> None:
    card = filled(TEXT, {}, {"phone_1": "This number is too short."})
    (box,) = (
        part
        for part in of_type(card, "Container")
        if part["items"] and part["items"][0].get("id") == "phone_1"
    )
    assert box["items"][0]["label"] == "Mobile number 2 – please look again"
    assert box["items"][1]["id"] == "error_phone_1"
    assert words_in(box["items"][1]).endswith("⚠️ This number is too short.")


def boxes(card: Any) -> list[Any]:
    return [part for part in of_type(card, "Container") if part.get("style") == "attention"]


def test_the_top_counts_the_errors_in_place_of_what_the_form_is_for() -> None:
    card = filled(TEXT, {}, {"phone_0": "One.", "phone_7": "This row is gone."})
    top, _ = boxes(card)
    assert words_in(top).strip() == "⚠️ 2 things need another look"
    assert "For people from outside" not in words_in(card)


def test_right_above_the_buttons_is_what_needs_another_look_by_name() -> None:
    card = filled(TEXT, {}, {"phone_0": "One.", "meeting": "Two.", "phone_7": "A row is gone."})
    _, last = boxes(card)
    assert card["body"][-1] == last
    said = words_in(last)
    assert "3 things need another look" in said
    assert "A row is gone." in said
    assert said.index("Your meeting: Two.") < said.index("Mobile number 1: One.")
    assert "Nothing was sent." in said


def test_of_many_errors_the_first_are_named_above_the_buttons() -> None:
    errors = {f"phone_{row}": f"Wrong {row}." for row in range(6)}
    said = words_in(boxes(payload(text_form(replace(TEXT, rows=6, errors=errors))))[1])
    assert "Wrong 2." in said
    assert "Wrong 3." not in said
    assert "… and 3 more" in said


def test_what_the_press_came_to_is_said_above_the_buttons_too() -> None:
    card = payload(text_form(replace(TEXT, said="Graph did not answer.")))
    assert "Graph did not answer." in words_in(card["body"][-1])
    assert words_in(card).count("Graph did not answer.") == 2


def test_a_form_without_errors_has_no_such_box() -> None:
    assert not [p for p in of_type(filled(TEXT, {}), "Container") if p.get("style") == "attention"]


def test_a_list_too_long_for_a_card_is_cut_and_says_so() -> None:
    pasted = "\n".join(f"+1206555{n:04}, Pacific Time" for n in range(10_000))
    card = filled(TEXT, {"attendee_list": pasted})
    (entry,) = (e for e in of_type(card, "Input.") if e["id"] == "attendee_list")
    assert pasted.startswith(entry["value"] + "\n")
    assert "Only the beginning fits" in json.dumps(card)


@pytest.mark.parametrize(
    ("view", "pasted", "where"),
    [
        (TEXT, "", "meeting"),
        (TEXT, "https://example.com", "join_link"),
        (replace(TEXT, meetings=()), "", "join_link"),
    ],
)
def test_a_missing_appointment_is_said_at_the_list_where_there_is_one(
    view: TextFormView, pasted: str, where: str
) -> None:
    card = text_form(replace(view, values={"join_link": pasted}, errors={"join_link": "Which?"}))
    shown = inputs(card)
    assert [name for name in shown if "look again" in shown[name].get("label", "")] == [where]


def test_without_meetings_the_link_is_needed() -> None:
    shown = inputs(text_form(replace(TEXT, meetings=())))
    assert "meeting" not in shown
    assert "needed" in shown["join_link"]["label"]


@pytest.mark.parametrize(
    ("rows", "shown"), [(-1, 1), (0, 1), (3, 3), (MAX_ROWS, MAX_ROWS), (99, 10)]
)
def test_the_form_shows_one_to_ten_rows(rows: int, shown: int) -> None:
    names = inputs(text_form(replace(TEXT, rows=rows)))
    assert len([name for name in names if name.startswith("phone_")]) == shown


def test_ten_rows_offer_no_eleventh() -> None:
    titles = [
        a["title"] for a in of_type(payload(text_form(replace(TEXT, rows=10))), "Action.Execute")
    ]
    assert titles == ["Review"]


def test_a_chosen_zone_stays_among_the_choices_however_many_there_are() -> None:
    chosen = ALL_ZONES[-1].value
    view = replace(TEXT, rows=10, zones=ALL_ZONES, values={"zone_9": chosen})
    entry = inputs(text_form(view))["zone_9"]
    assert entry["value"] == chosen
    assert chosen in {choice["value"] for choice in entry["choices"]}


def test_a_meeting_that_is_not_offered_any_more_is_not_chosen() -> None:
    view = replace(TEXT, values={"meeting": "https://teams.microsoft.com/meet/old"})
    assert "value" not in inputs(text_form(view))["meeting"]


def test_chosen_people_show_by_name() -> None:
    ids = ",".join(person.value for person in PEOPLE)
    entry = inputs(notice_form(replace(NOTICE, people=PEOPLE, values={"recipients": ids})))[
        "recipients"
    ]
    assert entry["value"] == ids
    assert [choice["title"] for choice in entry["choices"]] == [person.title for person in PEOPLE]
    assert entry["choices.data"] == {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}


def test_people_who_fit_on_no_card_are_not_lost_without_a_word() -> None:
    view = replace(NOTICE, people=PEOPLE, values={"recipients": f"{PEOPLE[0].value},somebody-else"})
    assert "1 chosen person does not fit on this card" in json.dumps(payload(notice_form(view)))


def test_the_template_shows_its_blanks_by_name() -> None:
    card = payload(notice_form(replace(NOTICE, parameters=("deploymentId",))))
    runs = [run["text"] for part in of_type(card, "RichTextBlock") for run in part["inlines"]]
    assert "You asks about [deployment id]" in "".join(runs).replace("  ", " ")
    assert inputs(notice_form(replace(NOTICE, parameters=("deploymentId",))))["param_deploymentId"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pendingRequestCount", "Pending request count"),
        ("deployment_id", "Deployment id"),
        ("systemDefaultText", "Your words"),
        ("", ""),
    ],
)
def test_a_parameters_name_is_spelled_in_words(name: str, words: str) -> None:
    assert spelled(name) == words


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("phone_3", "Phone 3"),
        ("attendee_list", "Attendee list"),
        ("param_deploymentId", "Deployment id"),
        ("param_", "Param "),
        ("made_up", "Made up"),
        ("\u200b", "–"),
    ],
)
def test_what_is_kept_is_labelled_whatever_its_name_is(name: str, label: str) -> None:
    [entry] = of_type(payload(kept(KeptView("It is too long.", {name: "x"}))), "Input.")
    assert entry["label"] == label.strip()


@pytest.mark.parametrize(
    ("state", "titles"),
    [
        ("accepted", ["Change and send again"]),
        ("refused", ["Change and send again"]),
        ("waiting", ["Look again", "Change and send again"]),
        ("unknown", ["Look again", "Change and send again"]),
        ("needs_sign_in", ["Sign in", "Look again", "Change and send again"]),
        ("scheduled", ["Change it", "Cancel the rest", "Send now"]),
        ("held", ["Send it anyway", "Change it", "Cancel the rest"]),
    ],
)
def test_a_delivery_offers_what_can_be_done_now(state: Any, titles: list[str]) -> None:
    waits = state in {"scheduled", "held"}
    can = {"can_change": True, "can_send_now": waits, "can_cancel": waits}
    card = payload(delivery_card(replace(DELIVERY, state=state, **can)))
    assert [action["title"] for action in card["actions"]] == titles


def test_a_delivery_that_cannot_be_changed_does_not_offer_it() -> None:
    assert "actions" not in payload(delivery_card(DELIVERY))


def test_an_unknown_text_says_that_herald_does_not_send_it_again() -> None:
    card = payload(delivery_card(replace(DELIVERY, state="unknown", accepted=0, unknown=2)))
    assert "Nobody can tell whether it was sent" in words_in(card)
    assert "does not send it again by itself" in words_in(card)


def test_an_attribute_that_no_element_has_is_refused() -> None:
    with pytest.raises(TypeError, match="ChoiceSet has no colour"):
        ChoiceSet(id="x", label="X", colour="red")


def test_choices_are_shown_by_their_titles_and_sent_back_by_their_values() -> None:
    view = replace(TEXT, zones=(Choice("<b>Pacific</b>\u202e", "Pacific Standard Time"),))
    assert inputs(text_form(view))["zone_0"]["choices"] == [
        {"title": "<b>Pacific</b>", "value": "Pacific Standard Time"}
    ]


def test_values_are_whole_as_long_as_fewer_choices_make_room() -> None:
    meetings = tuple(Choice(f"Visit {n} {'x' * 60}", f"https://{n}.{'y' * 200}") for n in range(40))
    values = {"attendee_list": "я" * 2_500, "join_link": "z" * 3_000}
    made = text_form(replace(TEXT, meetings=meetings, values=values))
    assert cut(made, values) == []
    shown = inputs(made)
    assert {name: shown[name]["value"] for name in values} == values
    assert f"{len(shown['meeting']['choices'])} of 40 are listed" in words_in(payload(made))


def test_what_no_card_can_hold_is_told() -> None:
    values = {"attendee_list": "я" * 6_000, "phone_0": "(206) 555-0142"}
    assert cut(text_form(replace(TEXT, values=values)), values) == ["attendee_list"]
    ids = ",".join(f"5e0a0a3e-0001-4d3f-8c1c-{n:012}" for n in range(700))
    assert cut(notice_form(replace(NOTICE, values={"recipients": ids})), {"recipients": ids}) == [
        "recipients"
    ]


def test_a_picked_person_is_the_same_in_capitals_and_with_spaces() -> None:
    ids = f" {PEOPLE[0].value.upper()} ,{PEOPLE[1].value}"
    made = notice_form(replace(NOTICE, people=PEOPLE, values={"recipients": ids}))
    assert cut(made, {"recipients": ids}) == []
    assert inputs(made)["recipients"]["value"] == ",".join(person.value for person in PEOPLE)


def test_what_never_left_was_not_refused_by_microsoft_and_was_not_sent() -> None:
    refused = replace(DELIVERY, state="refused", refused=2, accepted=0)
    assert "Microsoft did not take it." in words_in(payload(delivery_card(refused)))
    shown = words_in(payload(delivery_card(replace(refused, never_left=True))))
    assert "Nothing was sent." in shown
    assert "Microsoft did not take it." not in shown


def test_a_request_that_was_on_its_way_when_the_rest_was_cancelled_is_told() -> None:
    waiting = replace(DELIVERY, state="waiting", waiting=2, accepted=0, recalled=1)
    shown = words_in(payload(delivery_card(waiting)))
    assert "One request was already on its way, and can't be called back." in shown
