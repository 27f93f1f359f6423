"""What Teams makes of a bot's answer to an invoke: the problem it has with it, or none.

Shapes: Microsoft's "Task modules in bots", "Action commands", "Search commands", "Dynamic search in
Adaptive Cards" and "Universal Actions".
"""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.actions import elements
from sandbox.conversation import ADAPTIVE_CARD
from sandbox.limits import MAX_CARD_BYTES, card_bytes

PREVIEWS = frozenset(
    {"application/vnd.microsoft.card.hero", "application/vnd.microsoft.card.thumbnail"}
)
_SIZES = {"small", "medium", "large"}
_ACTION = "application/vnd.microsoft."
_SIGN_INS = {
    "activity.loginRequest",
    "error.preconditionFailed",
    "error.incorrectAuthCode",
}
_SEARCH = "application/vnd.microsoft.search.searchResponse"
_MOST_PARTS = 25


def problem_of(name: str, status: int, body: Any) -> str:
    """What is wrong with the answer to an invoke of this name; empty when Teams would take it."""
    judge = _JUDGES.get(name)
    if judge is None:
        return ""
    if status != 200:
        return f"the answer's status is {status}"
    if body is not None and not isinstance(body, Mapping):
        return "the answer is not a JSON object"
    return judge(body or {})


def card_problem(card: Any, *, in_dialog: bool = False) -> str:
    """What is wrong with an Adaptive Card; a dialog takes no Action.Execute."""
    if not isinstance(card, Mapping) or card.get("type") != "AdaptiveCard":
        return "the card is not an Adaptive Card"
    if card_bytes(dict(card)) > MAX_CARD_BYTES:
        return "the card is larger than 28 KB"
    kinds = {str(part["type"]) for part in elements(dict(card))}
    if in_dialog and "Action.Execute" in kinds:
        return "a dialog's card has an Action.Execute"
    return ""


def _task(body: Mapping[str, Any], *, may_be_empty: bool) -> str:
    task = body.get("task")
    if task is None:
        return "" if may_be_empty else "there is no task"
    if not isinstance(task, Mapping):
        return "the task is not an object"
    value = task.get("value")
    if task.get("type") == "message":
        return "" if isinstance(value, str) and value else "the task's message is empty"
    if task.get("type") != "continue" or not isinstance(value, Mapping):
        return "the task is neither 'continue' nor 'message'"
    if not all(_is_size(value.get(side)) for side in ("height", "width")):
        return "the dialog's size is none that Teams knows"
    if not isinstance(value.get("title", ""), str):
        return "the dialog's title is not a text"
    return _dialog(value)


def _dialog(value: Mapping[str, Any]) -> str:
    card, url = value.get("card"), value.get("url")
    if (card is None) == (url is None):
        return "a dialog has either a card or an address"
    if url is not None:
        allowed = ("https://", "http://localhost:")
        return "" if str(url).startswith(allowed) else "the dialog's address is not https"
    if not isinstance(card, Mapping) or card.get("contentType") != ADAPTIVE_CARD:
        return "the dialog's card is not an attachment"
    return card_problem(card.get("content"), in_dialog=True)


def _is_size(size: Any) -> bool:
    return size is None or size in _SIZES or (isinstance(size, int) and size > 0)


def _fetch(body: Mapping[str, Any]) -> str:
    return _task(body, may_be_empty=False)


def _submit(body: Mapping[str, Any]) -> str:
    return _task(body, may_be_empty=True)


def _compose_fetch(body: Mapping[str, Any]) -> str:
    return _extension(body) if "composeExtension" in body else _fetch(body)


def _compose_submit(body: Mapping[str, Any]) -> str:
    return _extension(body) if "composeExtension" in body else _submit(body)


def _extension(body: Mapping[str, Any]) -> str:
    answer = body.get("composeExtension")
    if not isinstance(answer, Mapping):
        return "there is no composeExtension"
    kind = answer.get("type")
    if kind in {"auth", "silentAuth", "config"}:
        return _suggested(answer)
    if kind == "message":
        return "" if answer.get("text") else "the message has no text"
    if kind != "result":
        return f"a composeExtension cannot be '{kind}'"
    parts = answer.get("attachments")
    if not isinstance(parts, list) or len(parts) > _MOST_PARTS:
        return f"the result has no list of at most {_MOST_PARTS} attachments"
    if answer.get("attachmentLayout", "list") not in {"list", "grid"}:
        return "the result's layout is neither 'list' nor 'grid'"
    return next(filter(None, map(_attachment, parts)), "")


def _suggested(answer: Mapping[str, Any]) -> str:
    actions = (answer.get("suggestedActions") or {}).get("actions") or [{}]
    opens = actions[0].get("type") == "openUrl" and actions[0].get("value")
    return "" if opens else "a sign-in has no openUrl action"


def _attachment(part: Any) -> str:
    if not isinstance(part, Mapping) or not part.get("contentType"):
        return "an attachment has no contentType"
    if part["contentType"] == ADAPTIVE_CARD:
        return card_problem(part.get("content")) or _preview(part.get("preview"))
    return ""


def _preview(preview: Any) -> str:
    shown = isinstance(preview, Mapping) and preview.get("contentType") in PREVIEWS
    return "" if shown else "an Adaptive Card among the results has no preview"


def _search(body: Mapping[str, Any]) -> str:
    results = (body.get("value") or {}).get("results")
    if body.get("type") != _SEARCH or not isinstance(results, list):
        return "the answer is not a search response"
    whole = all(isinstance(r, Mapping) and r.get("title") and "value" in r for r in results)
    return "" if whole else "a search result lacks its title or value"


def _card_action(body: Mapping[str, Any]) -> str:
    kind, value = str(body.get("type", "")), body.get("value")
    if not isinstance(body.get("statusCode"), int) or not kind.startswith(_ACTION):
        return "the answer has no statusCode or no type"
    if kind == ADAPTIVE_CARD:
        return card_problem(value)
    if kind == f"{_ACTION}activity.message":
        return "" if isinstance(value, str) else "the message is not a text"
    if kind == f"{_ACTION}error":
        told = isinstance(value, Mapping) and value.get("code") and value.get("message")
        return "" if told else "the error lacks its code or message"
    if kind.removeprefix(_ACTION) not in _SIGN_INS:
        return f"an answer cannot be of the type {kind}"
    return ""


_JUDGES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "task/fetch": _fetch,
    "task/submit": _submit,
    "composeExtension/fetchTask": _compose_fetch,
    "composeExtension/submitAction": _compose_submit,
    "composeExtension/query": _extension,
    "composeExtension/selectItem": _extension,
    "application/search": _search,
    "adaptiveCard/action": _card_action,
}
