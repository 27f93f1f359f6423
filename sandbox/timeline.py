"""What left for Graph, delivery by delivery, as the page shows it: no number in full, no token.

The stand-in knows no deliveries. It tells them by what it sees: the notices of one chain belong
together, and so do one person's texts of one kind about one meeting.
"""

import re
from collections.abc import Iterable
from typing import Any

from sandbox.world import GraphCall, World

_MOST_CALLS = 400
_DIGITS = re.compile(r"\+?\d{7,15}(?!\d)")
_SENDS = re.compile(r"/send(VirtualAppointment|ActivityNotification)")


def timeline(world: World) -> list[dict[str, Any]]:
    """Deliveries, newest first, each with its calls in order, and the reads as one entry last."""
    groups: dict[tuple[str, ...], list[GraphCall]] = {}
    for call in world.graph_calls[-_MOST_CALLS:]:
        groups.setdefault(_key(call), []).append(call)
    drawn = [_group(world, key, calls) for key, calls in groups.items()]
    drawn.sort(key=lambda group: (group["kind"] != "read", group["at"]), reverse=True)
    return drawn


def masked(text: str) -> str:
    """The text with every longer number cut down to its last four digits."""
    return _DIGITS.sub(lambda found: f"…{found[0][-4:]}", text)


def _key(call: GraphCall) -> tuple[str, ...]:
    if call.method != "POST" or not _SENDS.search(call.path):
        return ("read", call.actor_id)
    body = call.body if isinstance(call.body, dict) else {}
    if "ActivityNotification" in call.path:
        return ("notice", call.actor_id, str(body.get("chainId", call.client_request_id)))
    return ("text", call.actor_id, call.path, str(body.get("messageType", "reminder")))


def _group(world: World, key: tuple[str, ...], calls: list[GraphCall]) -> dict[str, Any]:
    person = world.people.get(key[1])
    seen: list[Any] = []
    rows = []
    for call in calls:
        seen.append(call.body)
        again = key[0] != "read" and seen.count(call.body) > 1
        rows.append(_row(call, seen.count(call.body) if again else 1))
    return {
        "id": " ".join(key),
        "kind": key[0],
        "title": masked(_title(world, key, calls[-1])),
        "person": person.name if person else "Somebody unknown",
        "at": calls[-1].at.isoformat(),
        "accepted": sum(call.status in {202, 204} for call in calls),
        "calls": rows,
    }


def _title(world: World, key: tuple[str, ...], call: GraphCall) -> str:
    if key[0] == "read":
        return "What was looked up"
    body = call.body if isinstance(call.body, dict) else {}
    if key[0] == "notice":
        words = str((body.get("previewText") or {}).get("content") or body.get("activityType", ""))
        return f"Notice: {words[:80]}"
    meeting = next((m for m in world.meetings.values() if f"/{m.id}/" in call.path), None)
    return f"Text: {key[3]}{f', {meeting.subject}' if meeting else ''}"


def _row(call: GraphCall, attempt: int) -> dict[str, Any]:
    return {
        "at": call.at.isoformat(),
        "method": call.method,
        "path": masked(call.path),
        "status": call.status,
        "code": call.code,
        "request_id": call.request_id,
        "attempt": attempt,
        "answered": call.answered,
        "took_effect": call.took_effect,
        "to": list(_recipients(call.body)),
    }


def _recipients(body: Any) -> Iterable[str]:
    if not isinstance(body, dict):
        return
    attendees = body.get("attendees") or []
    yield from (masked(str(person.get("phoneNumber"))) for person in attendees)
    if people := body.get("recipients"):
        yield "1 person" if len(people) == 1 else f"{len(people)} people"
