"""What the Graph stand-in works with: one call, its answer, and its refusals in Graph's shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.world import Person, World


@dataclass
class Call:
    """One checked-in request: who asks, where, and with what.

    `path` and `params` are decoded; `query` has OData's `$` names; `base` is the address that
    continuation links begin with; `token_life_s` what the caller's token has left.
    """

    world: World
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    actor: Person
    scopes: frozenset[str]
    token_life_s: float
    base: str
    raw_body: bytes = b""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A status, a JSON body or none, and headers. `took_effect`: it reached a phone or a feed."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    took_effect: bool = False
    code: str = ""
    message: str = ""


class Refusal(Exception):
    """Graph says no: status, Graph's `code` and a message."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, headers=headers, code=code, message=message)


def bad_request(message: str) -> Refusal:
    """400."""
    return Refusal(400, "BadRequest", message)


def forbidden(message: str, code: str = "Forbidden") -> Refusal:
    """403."""
    return Refusal(403, code, message)


def not_found(message: str, code: str = "NotFound") -> Refusal:
    """404."""
    return Refusal(404, code, message)


def error_body(answer: Answer, now: datetime, request_id: str, client_id: str) -> dict[str, Any]:
    """Graph's error object."""
    return {
        "error": {
            "code": answer.code,
            "message": answer.message,
            "innerError": {
                "date": f"{now:%Y-%m-%dT%H:%M:%S}",
                "request-id": request_id,
                "client-request-id": client_id,
            },
        }
    }
