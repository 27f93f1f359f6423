"""A delivery's results as a file: a line for each person, through Teams' file consent.

File consent (`fileConsent/invoke`) works in personal chats only; elsewhere a link leads to a
download that asks who one is. The address to upload to comes
with the verified activity, and has to be Microsoft's all the same.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from botbuilder.schema import Activity, ActivityTypes, Attachment

from bot.actor import Actor
from bot.appointments.zones import friendly
from bot.delivery.ledger import Ledger
from bot.delivery.models import OWNER_SAYS, Delivery, Kind
from bot.errors import HeraldError, StaleButton
from bot.identity.obo import Identity
from bot.notifications.request import NoticeRequest
from bot.settings import Settings
from bot.teams.answers import Answer, Say, ShowCard
from bot.teams.turn import Turn
from bot.words import gettext, marked
from cards.elements import payload
from cards.notes import NoteView, ResultsView, note, results

log = structlog.get_logger(__name__)

_CONSENT = "application/vnd.microsoft.teams.card.file.consent"
_INFO = "application/vnd.microsoft.teams.card.file.info"
_UPLOAD_HOSTS = (".sharepoint.com", ".sharepoint.us", ".svc.ms")
_TIMEOUT = aiohttp.ClientTimeout(total=20)
_WORDS = {
    "accepted": marked("accepted by Microsoft"),
    OWNER_SAYS: marked("arrived, as you said"),
    "refused": marked("refused"),
    "unknown": marked("nobody can tell"),
    "cancelled": marked("cancelled before it left"),
}
_WAITING = marked("waiting")


class FileNotTaken(HeraldError):
    """The file could not be saved to your OneDrive. Your results are still here."""


class Results:
    """Offers the file, and writes it where Teams says."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        identity: Identity,
        session: aiohttp.ClientSession,
    ) -> None:
        self._identity = identity
        self._is_local = settings.environment == "local"
        self._ledger = ledger
        self._session = session

    async def offer(self, turn: Turn, button: Any) -> Answer:
        """Ask the owner where to put the file."""
        delivery = await self._ledger.delivery(turn.actor, button.delivery_id)
        if turn.surface != "personal" or not turn.place.activity_id:
            link = await self._identity.download_link(turn.actor, delivery.id)
            card = results(ResultsView(delivery.short_id, link))
            if not turn.place.activity_id:
                return ShowCard.of(card)
            await turn.send(payload(card))
            return Say("")
        content = await self.csv(delivery)
        context = {"delivery_id": delivery.id}
        consent = {
            "description": gettext("What became of it, a line for each person."),
            "sizeInBytes": len(content),
            "acceptContext": context,
            "declineContext": context,
        }
        await _attach(turn, _CONSENT, _name(delivery), consent)
        return Say("")

    async def answered(self, turn: Turn) -> tuple[int, dict[str, Any]]:
        """`fileConsent/invoke`: the owner accepted, or not."""
        if turn.value.get("action") != "accept":
            await turn.send(
                payload(note(NoteView(gettext("No file"), gettext("Nothing was saved."))))
            )
            return 200, {}
        context = turn.value.get("context")
        upload = turn.value.get("uploadInfo")
        if not isinstance(context, Mapping) or not isinstance(upload, Mapping):
            return 400, {}
        delivery_id = context.get("delivery_id")
        if not isinstance(delivery_id, str):
            raise StaleButton
        delivery = await self._ledger.delivery(turn.actor, delivery_id)
        await self._upload(str(upload.get("uploadUrl", "")), await self.csv(delivery))
        info = {"uniqueId": str(upload.get("uniqueId", "")), "fileType": "csv"}
        await _attach(turn, _INFO, _name(delivery), info, str(upload.get("contentUrl", "")))
        return 200, {}

    async def download(self, actor: Actor, delivery_id: str) -> tuple[str, bytes]:
        """The file's name and content, for its owner. Raises StaleButton."""
        delivery = await self._ledger.delivery(actor, delivery_id)
        return _name(delivery), await self.csv(delivery)

    async def csv(self, delivery: Delivery) -> bytes:
        """The file: UTF-8 with a byte order mark, so that spreadsheets read names right."""
        names = _names(delivery)
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow([gettext("Who"), gettext("Time zone"), gettext("Result")])
        for state, problem, people in await self._ledger.results(delivery.id):
            said = problem if problem == OWNER_SAYS else state.value
            word = gettext(_WORDS.get(said, _WAITING))
            for person in people:
                if isinstance(person, dict):
                    rows.writerow([_everyone(delivery), "", word])
                elif delivery.kind is Kind.TEXT:
                    number, zone = person
                    rows.writerow([f"…{number[-4:]}", friendly(zone), word])
                else:
                    rows.writerow([_cell(names.get(person, person)), "", word])
        return b"\xef\xbb\xbf" + text.getvalue().encode()

    async def _upload(self, address: str, content: bytes) -> None:
        if not self._may_upload(address):
            log.warning("results.strange_address")
            raise FileNotTaken
        headers = {
            "Content-Type": "text/csv",
            "Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}",
        }
        try:
            async with self._session.put(
                address, data=content, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            raise FileNotTaken from None
        if status not in {200, 201, 202}:
            log.warning("results.not_taken", status=status)
            raise FileNotTaken

    def _may_upload(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        host = parts.hostname or ""
        if self._is_local and host in {"127.0.0.1", "localhost"}:
            return True
        return parts.scheme == "https" and host.endswith(_UPLOAD_HOSTS)


def _names(delivery: Delivery) -> dict[str, str]:
    if delivery.kind is Kind.TEXT or not delivery.request:
        return {}
    return {who.id: who.name for who in NoticeRequest.from_json(delivery.request).recipients}


def _everyone(delivery: Delivery) -> str:
    group = NoticeRequest.from_json(delivery.request).group if delivery.request else None
    return group.everyone_there if group else gettext("everyone in a group")


def _cell(written: str) -> str:
    # A spreadsheet runs what begins so as a formula.
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written


def _name(delivery: Delivery) -> str:
    return f"herald-{delivery.short_id}.csv"


async def _attach(
    turn: Turn, kind: str, name: str, content: dict[str, Any], address: str | None = None
) -> None:
    attachment = Attachment(content_type=kind, name=name, content=content, content_url=address)
    await turn.context.send_activity(Activity(type=ActivityTypes.message, attachments=[attachment]))
