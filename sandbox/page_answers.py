"""What the page sends to its server, and what it is told."""

import json
from typing import Any

from aiohttp import web

from sandbox.calls import Answer


async def asked_of(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. Refuses anything else with 400."""
    try:
        value = await request.json()
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text="A JSON object was expected.")
    return value


def done() -> web.Response:
    """It was done, and there is nothing to tell."""
    return web.json_response({})


def answered(answer: Answer) -> web.Response:
    """The bot's answer, as the client in the browser has to read it."""
    return web.json_response(
        {
            "status": answer.status,
            "body": answer.body,
            "late": answer.late,
            "problem": answer.problem,
        }
    )
