"""From a parsed body to the SDK's Activity, by the SDK's own description of its models.

msrest's deserializer accepts an object where a string belongs (and makes `"{'a': 1}"` of it), takes
0.5 ms, and knows ten kinds of exceptions. This reader knows one, and `str` means a string.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botbuilder.schema
from botbuilder.schema import Activity, teams
from msrest.serialization import Model

from bot.teams.wire import Malformed

Reader = Callable[[Any], Any]
_LONGEST_TIME = 64


def check_envelope(raw: dict[str, Any]) -> None:
    """Check what every activity has before anything else looks at it.

    Raises:
        Malformed: `type`, `serviceUrl`, `channelId` or `conversation.id` is missing or not a
            string, or `serviceUrl` is not an http(s) address.
    """
    for name in ("type", "serviceUrl", "channelId"):
        if not isinstance(raw.get(name), str) or not raw[name]:
            raise Malformed(name)
    conversation = raw.get("conversation")
    if not isinstance(conversation, dict) or not isinstance(conversation.get("id"), str):
        raise Malformed("conversation")
    if not conversation["id"] or not _is_address(raw["serviceUrl"]):
        raise Malformed("conversation.id" if not conversation["id"] else "serviceUrl")


def read_activity(raw: dict[str, Any]) -> Activity:
    """The SDK's model of an activity.

    Raises:
        Malformed: a field is not of the type that the Bot Framework's schema gives it.
    """
    if not isinstance(raw.get("locale"), str):
        # No reason to turn anybody away: English is spoken then.
        raw = {name: value for name, value in raw.items() if name != "locale"}
    return read_model(Activity, raw)


def read_model(model: type, raw: Any) -> Any:
    """An SDK model from its JSON object. Raises Malformed as `read_activity` does."""
    if not isinstance(raw, dict):
        raise Malformed(model.__name__)
    readers = _readers(model)
    values: dict[str, Any] = {}
    beyond: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in readers:
            beyond[key] = value
        elif value is not None:
            name, read = readers[key]
            values[name] = read(value)
    built = model(**values)
    if beyond:
        built.additional_properties = beyond
    return built


@cache
def _readers(model: type) -> dict[str, tuple[str, Reader]]:
    described = model._attribute_map.items()  # type: ignore[attr-defined]
    return {
        field["key"].replace("\\.", "."): (name, _reader(field["type"], model.__module__))
        for name, field in described
        if name != "additional_properties"
    }


def _reader(kind: str, module: str) -> Reader:
    if kind in _BASIC:
        return _BASIC[kind]
    if kind.startswith("["):
        return _list_of(_reader(kind[1:-1], module))
    if kind.startswith("{"):
        return _map_of(_reader(kind[1:-1], module))
    found = _model_named(kind, module)
    return lambda value: read_model(found, value)


def _model_named(name: str, module: str) -> type:
    places = (teams, botbuilder.schema) if ".teams" in module else (botbuilder.schema,)
    found = next(getattr(place, name) for place in places if hasattr(place, name))
    assert isinstance(found, type)  # noqa: S101
    assert issubclass(found, Model)  # noqa: S101
    return found


def _list_of(read: Reader) -> Reader:
    def read_list(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Malformed("list")
        return [read(item) for item in value]

    return read_list


def _map_of(read: Reader) -> Reader:
    def read_map(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Malformed("map")
        return {key: None if item is None else read(item) for key, item in value.items()}

    return read_map


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed("string")
    return value


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "True", "false", "False"):  # some clients write them as strings
        return value in ("true", "True")
    raise Malformed("boolean")


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed("number")
    return value


def _time(value: Any) -> datetime:
    if not isinstance(value, str) or len(value) > _LONGEST_TIME:
        raise Malformed("time")
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)  # the years 1 and 9999 have hours that UTC does not
    except (ValueError, OverflowError):
        raise Malformed("time") from None
    return moment


def _anything(value: Any) -> Any:
    return value


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


_BASIC: dict[str, Reader] = {
    "str": _text,
    "bool": _truth,
    "int": _number,
    "float": _number,
    "iso-8601": _time,
    "object": _anything,
    "bytearray": _anything,
}
