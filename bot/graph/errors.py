"""What Graph refuses, and what can be known when it does not answer.

    GraphError
    ├── GraphThrottled              429: surely not accepted, go again later
    ├── GraphRefused                another 4xx: Graph said no
    │   ├── TokenRejected           401
    │   ├── PermissionMissing       403
    │   ├── PremiumMissing          403
    │   ├── AppNotInstalled         403
    │   ├── AppNotInGroup           403 on a chat or team
    │   ├── NotInGroup              403 on a chat or team
    │   ├── GroupMissing            404 on a chat or team
    │   ├── NotOrganizer            403 or 404 on a meeting
    │   ├── AppAmbiguous            409
    │   └── TokenTooOld             412
    ├── GraphUnavailable            5xx, 408: for a send, nobody can tell
    ├── GraphUnreachable            no connection, no DNS, no TLS: it never left
    └── GraphSilent                 time-out, reset, cut off: it may have left, nobody can tell

The first line of a class's docstring is the sentence the user reads, and `advice` the one thing to
do about it. Graph's own words can quote phone numbers, names and tokens: those are taken out before
they are kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from bot.errors import HeraldError

_MOST_WORDS = 300
_PRIVATE = re.compile(
    r"eyJ[\w-]+(?:\.[\w-]*)*"  # a token
    r"|\S+@\S+"  # an address
    r"|\+?\d(?:[\s().-]*\d){6,}"  # a phone number, or any long run of digits
)


class GraphError(HeraldError):
    """Microsoft Graph could not do this.

    `status` is 0 when there was no answer. `code` and `message` are Graph's, without numbers, mail
    addresses and tokens. `request_id` is what Microsoft's support asks for.
    """

    advice: ClassVar[str] = "Please try again in a few minutes."

    def __init__(
        self, status: int = 0, code: str = "", message: str = "", request_id: str = ""
    ) -> None:
        self.status = status
        self.code = scrubbed(code)[:80]
        self.message = scrubbed(message)
        self.request_id = re.sub(r"[^\w-]", "", request_id)[:64]
        super().__init__(" ".join(filter(None, (str(status or ""), self.code, self.message))))


class GraphThrottled(GraphError):
    """Microsoft asks us to slow down. Nothing of this request was sent.

    `retry_after_s` is how long Graph wants us to wait, or None when it did not say.
    """

    advice = "Nothing to do: Herald tries again by itself."
    retry_after_s: float | None = None


class GraphRefused(GraphError):
    """Microsoft Graph did not accept this request."""

    advice = "Please check what you entered and send it again."


class TokenRejected(GraphRefused):
    """Your sign-in is no longer valid.

    `claims` is the claims challenge of `WWW-Authenticate`, base64 as it came, or empty.
    """

    advice = "Please sign in again; then it can be sent."
    claims: str = ""


class PermissionMissing(GraphRefused):
    """Herald does not have your permission for this."""

    advice = "Please sign in again and agree to the permission that is asked for."


class PremiumMissing(GraphRefused):
    """Appointment texts need a Teams Premium license, and your account has none."""

    advice = "Ask your administrator for a Teams Premium license for the meeting's organizer."


class AppNotInstalled(GraphRefused):
    """At least one of these people does not have Herald installed, so nobody was notified."""

    advice = (
        "Ask your administrator to install Herald for everyone, or leave out the people without it."
    )


class AppNotInGroup(GraphRefused):
    """Herald is not installed in this chat or team, so nobody was notified."""

    advice = "Add Herald to it and retry, or send the notice to each member by name."


class NotInGroup(GraphRefused):
    """Microsoft did not let you notify everyone in this chat or team, so nobody was notified."""

    advice = "Only members can. Ask to be added, or send the notice to people by name."


class GroupMissing(GraphRefused):
    """This chat, channel or team does not exist any more, so nobody was notified."""

    advice = "Send the notice to people by name."


class NotOrganizer(GraphRefused):
    """You are not the organizer of this meeting, so nobody can be texted about it in your name."""

    advice = "Choose a meeting that you organize, or ask its organizer to send the text."


class AppAmbiguous(GraphRefused):
    """Several installed apps look like Herald, and Microsoft can't tell which one is meant."""

    advice = (
        "Ask your administrator to remove the other copy of Herald, or to name one in its setup."
    )


class TokenTooOld(GraphRefused):
    """Your sign-in was about to run out, so Microsoft did not take this request."""

    advice = "Please send it again; Herald renews your sign-in first."


class GraphUnavailable(GraphError):
    """Microsoft had a problem while answering.

    For something that was being sent, nobody can tell whether it was done. `retry_after_s` as in
    `GraphThrottled`.
    """

    retry_after_s: float | None = None


class GraphUnreachable(GraphError):
    """Microsoft could not be reached, so nothing was sent."""

    advice = "Nothing was sent. Please try again when the connection is back."


class GraphSilent(GraphError):
    """Microsoft did not answer.

    For something that was being sent, nobody can tell whether it was done.
    """


@dataclass(frozen=True)
class Row:
    """What an answer means: `status`, and patterns that its code and message, and path, match."""

    status: int
    meaning: type[GraphRefused]
    says: str = ""
    path: str = ""


_NOT_INSTALLED = r"not installed|app is installed|not authorized to generate"
_GROUP = r"/(teams|chats)/[^/]+/sendActivityNotification$"

# First fit wins. `says` is looked for in "<code> <message>", whatever the case.
CLASSIFY = (
    Row(401, TokenRejected),
    Row(412, TokenTooOld),
    Row(403, PremiumMissing, r"premium|licen[cs]e"),
    Row(
        403,
        PermissionMissing,
        r"scope permissions|insufficient privileges|authorization_requestdenied|accessdenied"
        r"|no authorization information|consent",
    ),
    Row(403, AppNotInGroup, _NOT_INSTALLED, _GROUP),
    Row(403, NotInGroup, path=_GROUP),
    Row(404, GroupMissing, path=_GROUP),
    Row(403, AppNotInstalled, _NOT_INSTALLED),
    Row(403, NotOrganizer, path=r"/onlineMeetings\b"),
    Row(404, NotOrganizer, path=r"/onlineMeetings\b"),
    Row(403, PermissionMissing, r"permission|privilege|scope"),
    Row(409, AppAmbiguous, r"multiple|ambiguous|disambiguate|more than one|teamsAppId"),
)


def error_of(status: int, headers: Mapping[str, str], body: Any, path: str) -> GraphError:
    """The error that an answer of 300 and above stands for. `body` is its JSON, or None."""
    told = body.get("error") if isinstance(body, dict) else None
    told = told if isinstance(told, dict) else {}
    code, message = str(told.get("code") or ""), str(told.get("message") or "")
    facts = (status, code, message, request_id_of(headers, told))
    if status == 429:
        throttled = GraphThrottled(*facts)
        throttled.retry_after_s = retry_after_s(headers)
        return throttled
    if status >= 500 or status == 408:  # 408: a proxy gave up; it may have passed the request on
        unavailable = GraphUnavailable(*facts)
        unavailable.retry_after_s = retry_after_s(headers)
        return unavailable
    refused = _meaning(status, f"{code} {message}", path)(*facts)
    if isinstance(refused, TokenRejected):
        refused.claims = _claims(headers.get("WWW-Authenticate", ""))
    return refused


def request_id_of(headers: Mapping[str, str], told: Mapping[str, Any] | None = None) -> str:
    """Graph's name for a request: the header, or what the error's `innerError` says."""
    inner = (told or {}).get("innerError")
    inner = inner if isinstance(inner, dict) else {}
    return str(headers.get("request-id") or inner.get("request-id") or "")


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait by `Retry-After` (RFC 9110: seconds, or an HTTP date); None if not said."""
    said = headers.get("Retry-After", "").strip()
    if not said:
        return None
    try:
        if said.isascii() and said.isdigit():
            return float(said)
        moment = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def scrubbed(text: str) -> str:
    """The text on one line, without tokens, mail addresses and long runs of digits."""
    return _PRIVATE.sub("…", " ".join(text.split()))[:_MOST_WORDS]


def _meaning(status: int, says: str, path: str) -> type[GraphRefused]:
    for row in CLASSIFY:
        if (
            row.status == status
            and re.search(row.says, says, re.IGNORECASE)
            and re.search(row.path, path)
        ):
            return row.meaning
    return GraphRefused


def _claims(challenge: str) -> str:
    found = re.search(r'\bclaims="([\w+/=-]+)"', challenge)
    return found[1] if found else ""
