"""JSON batching: up to twenty reads in one request."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.graph_answers import Answer, Call, Refusal, bad_request

MOST_REQUESTS = 20


def run_batch(call: Call, run: Callable[[Call, str], Answer]) -> Answer:
    """POST /$batch with GETs. The answers come in another order than the requests, as they may."""
    requests = _read(call)
    responses = [_response(one["id"], run(call, one["url"])) for one in requests]
    return Answer(200, {"responses": responses[::-1]})


def _read(call: Call) -> list[dict[str, str]]:
    if call.method != "POST":
        raise Refusal(405, "MethodNotAllowed", f"{call.method} is not supported here.")
    content_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refusal(415, "UnsupportedMediaType", "Content-Type must be application/json.")
    try:
        body = json.loads(call.raw_body)
    except ValueError:
        raise bad_request("Unable to read JSON request payload.") from None
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not 1 <= len(requests) <= MOST_REQUESTS:
        raise bad_request(f"A batch has 1 to {MOST_REQUESTS} requests.")
    for one in requests:
        _check(one)
    ids = {one["id"].casefold() for one in requests}
    if len(ids) != len(requests):
        raise bad_request("The ids of a batch's requests must differ.")
    return requests


def _check(one: Any) -> None:
    if not isinstance(one, dict) or not isinstance(one.get("id"), str) or not one["id"]:
        raise bad_request("Every request of a batch needs an id.")
    if one.get("method") != "GET":
        raise bad_request("The stand-in's batches take GET alone.")
    url = one.get("url")
    if not isinstance(url, str) or not url.startswith("/") or url.startswith("//"):
        raise bad_request("The url of a batch's request is relative and begins with '/'.")


def _response(request_id: str, answer: Answer) -> dict[str, Any]:
    return {
        "id": request_id,
        "status": answer.status,
        "headers": {"Content-Type": "application/json"} | dict(answer.headers),
        "body": answer.body,
    }
