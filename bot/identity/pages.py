"""The pages of the consent pop-up: where it starts, where it ends, and an administrator's return.

Source: the authentication flow for bots and message extensions in Teams, whose last page calls
`notifySuccess` of the Teams JavaScript library; Teams then sends `signin/verifyState`.
"""

import json
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.about import preferred
from bot.actor import Actor
from bot.errors import HeraldError, SignInExpired
from bot.identity.obo import Identity
from bot.identity.sign_in import DOWNLOAD, IN_BROWSER, LINK_LIFE_S
from bot.settings import ROOT
from bot.words import gettext, marked, speaking, spoken

# (who, what) gives the file's name and content, or raises a HeraldError.
Download = Callable[[Actor, str], Awaitable[tuple[str, bytes]]]

_WEB = Path(__file__).parent / "web"
_TEAMS_JS = ROOT / "node_modules/@microsoft/teams-js/dist/umd/MicrosoftTeams.min.js"
_PAGE = Template((_WEB / "page.html").read_text("utf-8"))
_DIALOG = Template((_WEB / "dialog.html").read_text("utf-8"))
_SCRIPTS = '<script src="/auth/teams.js"></script>\n<script src="/auth/end.js"></script>'

# The Teams clients that may show a page of ours in a frame; 'self' is for a Teams page that is
# served from our own address.
_TEAMS = (
    "'self' https://teams.microsoft.com https://*.teams.microsoft.com "
    "https://*.cloud.microsoft https://*.office.com https://*.microsoft365.com"
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        # Where the Teams library looks up which addresses are Teams' own.
        "connect-src https://res.cdn.office.net; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {_TEAMS}"
    ),
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Note(NamedTuple):
    """What a page says, `marked`. `reason` is what a failure tells Teams; empty for a success."""

    heading: str
    sentence: str
    reason: str = ""
    status: int = 200


# Not 'you are signed in': whether it was the right person is looked at when Teams brings the code.
HANDED_OVER = Note(
    marked("Thank you"), marked("You can close this window. Herald goes on in Teams.")
)
SIGNED_IN = Note(
    marked("You are signed in"), marked("You can close this window and go on in Teams.")
)
APPROVED = Note(
    marked("Approved"),
    marked(
        "Herald may now do this for the people of your organization. They can try again at once."
    ),
)
NOT_APPROVED = Note(
    marked("Not approved"),
    marked("Nothing was changed. You can open the link again whenever you like."),
    "not_approved",
)
EXPIRED = Note(
    marked("This link has expired"),
    marked("It was used already, or too much time has passed. Please start again in Teams."),
    "expired",
    400,
)
FAILED = Note(
    marked("That did not work"),
    marked("Microsoft's sign-in page reported a problem. Please start again in Teams."),
    "failed",
)
# What Entra's `error` means; its own description is not shown, since anybody can write one.
ENDS = {
    "access_denied": Note(
        marked("You did not agree"),
        marked(
            "Herald was not given your permission, so it can't act in your name. You can start "
            "again in Teams."
        ),
        "access_denied",
    ),
    "consent_required": Note(
        marked("An administrator is needed"),
        marked("Only an administrator of your organization can approve this."),
        "consent_required",
    ),
}
# What the page of a dialog says when its pop-up ends so: Entra's errors, and Teams' own.
REASONS = {
    "access_denied": marked(
        "You did not agree, so Herald can't act in your name. You can try again."
    ),
    "consent_required": marked(
        "An administrator has to approve this first. Close this and press the button in Teams "
        "again."
    ),
    "CancelledByUser": marked("The window was closed. You can try again."),
    "FailedToOpenWindow": marked("The window was blocked. Allow pop-ups for Teams, and try again."),
    "": marked("The sign-in did not end well. You can try again."),
}


def routes(identity: Identity, download: Download) -> list[web.RouteDef]:
    """The routes of the pop-up, below `/auth/`; `download` gives a signed-in actor a file."""
    pages = _Pages(identity, download)
    return [
        # No HEAD: a program that looks at a link must not use it up.
        web.get("/auth/start", _guarded(pages.start), allow_head=False),
        web.get("/auth/dialog", _guarded(pages.dialog), allow_head=False),
        web.get("/auth/end", _guarded(pages.end), allow_head=False),
        web.get("/auth/approved", _guarded(pages.approved), allow_head=False),
        web.get("/auth/page.css", _file(_WEB / "page.css", "text/css")),
        web.get("/auth/end.js", _file(_WEB / "end.js", "text/javascript")),
        web.get("/auth/dialog.js", _file(_WEB / "dialog.js", "text/javascript")),
        web.get("/auth/teams.js", _file(_TEAMS_JS, "text/javascript")),
    ]


class _Pages:
    def __init__(self, identity: Identity, download: Download) -> None:
        self._identity = identity
        self._pop_up = identity.pop_up
        self._download = download

    async def start(self, request: web.Request) -> web.StreamResponse:
        """Send the browser to Entra, with a cookie by which it is known when it comes back."""
        departure = await self._pop_up.depart(request.query.get("s", ""))
        away = web.Response(status=302, headers={"Location": departure.location})
        away.set_cookie(
            departure.cookie_name,
            departure.cookie_value,
            max_age=LINK_LIFE_S,
            path="/auth",
            httponly=True,
            samesite="Lax",
            secure=self._pop_up.is_secure,
        )
        return away

    async def dialog(self, request: web.Request) -> web.StreamResponse:
        """The page of a dialog of Teams: its button opens the pop-up, and hands on its code."""
        sealed = request.query.get("s", "")
        start = self._pop_up.start_of(sealed)
        with speaking(self._pop_up.language_of(sealed) or spoken()):
            return _dialog(start)

    async def end(self, request: web.Request) -> web.StreamResponse:
        """Take Entra's answer and hand a one-time code to Teams."""
        record = await self._pop_up.arrive(request.query.get("state", ""), request.cookies)
        with speaking(record.get("l") or spoken()):
            return await self._ended(request, record)

    async def _ended(self, request: web.Request, record: dict[str, Any]) -> web.StreamResponse:
        query = request.query
        if "error" in query or not query.get("code"):
            return _page(ENDS.get(query.get("error", ""), FAILED), scripts=_SCRIPTS)
        if record["x"].startswith(DOWNLOAD):
            return await self._file(record, query["code"])
        if record["x"] == IN_BROWSER:
            return await self._signed_in(record, query["code"])
        code = await self._pop_up.keep_code(record, query["code"])
        return _page(HANDED_OVER, code=code, scripts=_SCRIPTS)

    async def _signed_in(self, record: dict[str, Any], code: str) -> web.StreamResponse:
        """Complete a sign-in that was not started in Teams' own window."""
        try:
            await self._identity.complete(record, code)
        except SignInExpired:
            raise
        except HeraldError as error:
            return _page(Note(marked("You are not signed in"), error.sentence, "refused", 403))
        return _page(SIGNED_IN)

    async def _file(self, record: dict[str, Any], code: str) -> web.StreamResponse:
        """A file for the one person that its link was made for."""
        try:
            actor = await self._identity.prove(record, code)
            name, content = await self._download(actor, record["x"].removeprefix(DOWNLOAD))
        except HeraldError as error:
            return _page(Note(marked("Not for you here"), error.sentence, "refused", 403))
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=content, content_type="text/csv", charset="utf-8", headers=headers)

    async def approved(self, request: web.Request) -> web.StreamResponse:
        """Tell an administrator how it went. Nothing here is believed: the next send shows it."""
        refused = "error" in request.query
        given = request.query.get("admin_consent", "").lower() == "true"
        return _page(APPROVED if given and not refused else NOT_APPROVED)


def _guarded(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        with speaking(preferred(request.headers.get("Accept-Language", ""))):
            try:
                response = await handler(request)
            except SignInExpired:
                response = _page(EXPIRED, scripts=_SCRIPTS)
            response.headers.update(_HEADERS)
            return response

    return answer


def _dialog(start: str) -> web.Response:
    words = {
        "lang": spoken(),
        "start": start,
        "title": gettext("Sign in"),
        "heading": gettext("Please sign in"),
        "sentence": gettext(
            "Herald acts in your name, and so it needs to know you. A window opens; this goes "
            "on afterwards."
        ),
        "reasons": json.dumps({name: gettext(why) for name, why in REASONS.items()}),
    }
    html = _DIALOG.substitute({name: escape(word) for name, word in words.items()})
    return web.Response(text=html, content_type="text/html", headers=_language())


def _page(note: Note, *, code: str = "", scripts: str = "") -> web.Response:
    words = {
        "lang": spoken(),
        "heading": gettext(note.heading),
        "sentence": gettext(note.sentence),
        "mood": "bad" if note.reason else "good",
        "code": code,
        "reason": note.reason,
    }
    escaped = {name: escape(word) for name, word in words.items()}
    html = _PAGE.substitute(escaped, scripts=scripts)
    return web.Response(
        text=html, content_type="text/html", status=note.status, headers=_language()
    )


def _language() -> dict[str, str]:
    return {"Content-Language": spoken()}


def _file(path: Path, content_type: str) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        headers = {**_HEADERS, "Cache-Control": "no-cache", "Content-Type": content_type}
        return web.FileResponse(path, headers=headers)

    return answer
