"""Dialogs (task modules) and typeahead: what a client asks for while a card is filled in."""

from typing import Any

from sandbox.calls import Answer
from sandbox.conversation import Conversation
from sandbox.teams_client import Client
from sandbox.world import Person

_CONTEXT = {"theme": "default"}
_MOST_FOUND = 15


class Dialogs(Client):
    """Opening and submitting dialogs."""

    async def open_dialog(
        self,
        person: Person,
        message_id: str,
        action: dict[str, Any],
        inputs: dict[str, Any] | None = None,
    ) -> Answer:
        """Press a message's button that opens a dialog (`task/fetch`).

        Raises:
            LookupError: there is no such message, or the button opens no dialog.
        """
        conversation, message = self._find(message_id)
        data = {**(action.get("data") or {}), **(inputs or {})}
        opens = (data.get("msteams") or {}).get("type") == "task/fetch"
        if action["type"] != "Action.Submit" or not opens:
            raise LookupError("only an Action.Submit of the type task/fetch opens a dialog")
        value = {"data": data, "context": _CONTEXT}
        origin = self._from_message(message)
        return await self.invoke(person, "task/fetch", value, conversation, **origin)

    async def submit_dialog(
        self,
        person: Person,
        data: Any,
        conversation: Conversation | None = None,
        *,
        message_id: str = "",
    ) -> Answer:
        """Submit a dialog's card (`task/submit`); `message_id` is the message it was opened from.

        Raises:
            LookupError: there is no such message.
        """
        value = {"data": data, "context": _CONTEXT}
        origin: dict[str, Any] = {}
        if message_id:
            conversation, message = self._find(message_id)
            origin = self._from_message(message)
        return await self.invoke(person, "task/submit", value, conversation, **origin)

    async def typeahead(
        self,
        person: Person,
        message_id: str | None,
        dataset: str,
        query: str,
        *,
        dialog: bool = False,
        conversation: Conversation | None = None,
    ) -> Answer:
        """Type into a choice set whose choices the bot finds (`application/search`).

        In a dialog Teams doesn't say which message it was opened from. Raises LookupError.
        """
        origin: dict[str, Any] = {}
        if message_id:
            conversation, message = self._find(message_id)
            origin = {"root_id": message.root_id} if dialog else self._from_message(message)
        value = {
            "queryText": query,
            "queryOptions": {"skip": 0, "top": _MOST_FOUND},
            "dataset": dataset,
        }
        return await self.invoke(person, "application/search", value, conversation, **origin)
