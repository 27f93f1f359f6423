"""Reading and writing JSON: whatever shape comes, one kind of refusal, and nothing lost."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from types import MappingProxyType
from typing import Any

import pytest
from botbuilder.schema import Activity, AttachmentData, SemanticAction
from botbuilder.schema.teams import TeamsChannelAccount
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.teams import wire
from bot.teams.activity import check_envelope, read_activity, read_model
from bot.teams.wire import Malformed

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
KEYS = sorted(field["key"] for field in Activity._attribute_map.values())


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=6))
def test_any_shape_is_read_or_refused_and_nothing_else(raw: dict[str, Any]) -> None:
    with suppress(Malformed):
        check_envelope(raw)
    try:
        activity = read_activity(raw)
    except Malformed:
        return
    wire.dumps(activity)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=40) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_parsed_or_refused_and_nothing_else(body: bytes) -> None:
    with suppress(Malformed):
        assert isinstance(wire.parse(body), dict)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(max_size=4), ANYTHING))
def test_what_is_plain_stays_as_it_is(value: dict[str, Any]) -> None:
    assert wire.plain(value) == value


@pytest.mark.parametrize(
    ("told", "truth"), [(True, True), ("true", True), ("True", True), ("false", False)]
)
def test_a_truth_may_come_as_a_string(told: Any, truth: bool) -> None:
    assert read_activity({"historyDisclosed": told}).history_disclosed is truth


def test_numbers_and_maps_are_read_by_their_type() -> None:
    highlight = {"text": "a", "occurrence": 2}
    action = {"id": "a", "entities": {"one": {"type": "t", "more": 1}}}
    activity = read_activity({"textHighlights": [highlight], "semanticAction": action})
    assert activity.text_highlights[0].occurrence == 2
    assert activity.semantic_action.entities["one"].additional_properties == {"more": 1}
    for wrong in ({**highlight, "occurrence": "2"}, {**highlight, "occurrence": True}):
        with pytest.raises(Malformed):
            read_activity({"textHighlights": [wrong]})
    with pytest.raises(Malformed):
        read_activity({"semanticAction": {"entities": []}})


def test_a_time_without_a_zone_is_taken_as_utc() -> None:
    activity = read_activity({"timestamp": "2026-05-06T10:11:12"})
    assert activity.timestamp == datetime(2026, 5, 6, 10, 11, 12, tzinfo=UTC)


def test_an_activity_is_written_as_the_sdk_writes_it() -> None:
    raw = {
        "type": "message",
        "from": {"id": "29:1", "aadObjectId": "x"},
        "attachments": [{"contentType": "text/plain", "content": {"a": [1]}}],
        "suggestedActions": {"to": ["29:1"], "actions": [{"type": "imBack", "value": 1}]},
        "value": {"deep": [{"er": None}]},
    }
    activity = read_activity(raw)
    assert wire.plain(activity) == raw
    assert activity.serialize() == {**raw, "value": activity.serialize()["value"]}


def test_people_of_teams_are_read_with_what_teams_tells_of_them() -> None:
    person = read_model(TeamsChannelAccount, {"id": "29:1", "email": "a@contoso.example"})
    assert person.email == "a@contoso.example"
    with pytest.raises(Malformed):
        read_model(TeamsChannelAccount, [])


class Colour(Enum):
    RED = "red"


def test_pythons_own_kinds_are_written_as_json_knows_them() -> None:
    value = {
        "colour": Colour.RED,
        "at": datetime(2026, 5, 6, 10, 11, 12),  # noqa: DTZ001 - the SDK makes such
        "zoned": datetime(2026, 5, 6, 10, 11, 12, tzinfo=UTC),
        "map": MappingProxyType({"a": 1}),
        "some": (number for number in (1, 2)),
        "data": AttachmentData(original_base64=bytearray(b"abc")),
        "action": SemanticAction(id="a"),
    }
    assert wire.plain(value) == {
        "colour": "red",
        "at": "2026-05-06T10:11:12+00:00",
        "zoned": "2026-05-06T10:11:12+00:00",
        "map": {"a": 1},
        "some": [1, 2],
        "data": {"originalBase64": "YWJj"},
        "action": {"id": "a"},
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: object()}])
def test_what_json_cannot_say_is_an_error(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        wire.dumps({"value": value})


def test_what_holds_itself_is_an_error() -> None:
    activity = Activity(type="message")
    activity.value = {"self": activity}
    with pytest.raises(ValueError, match="Circular"):
        wire.dumps(activity)
