"""What clients do by themselves when the bot asks somebody to sign in."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from sandbox.calls import Answer
from sandbox.connector import Connector
from sandbox.conversation import OAUTH_CARD, Conversation, Message
from sandbox.teams_client import Client, Tokens
from sandbox.world import Person, World


class SignIns(Client):
    """Silent sign-in, and the code that a sign-in page hands back.

    `clients`: how many clients each person has open; each exchanges a sign-in card silently.
    `sign_in_failures`: by person id, the code that silent sign-in fails with before any exchange.
    """

    def __init__(self, world: World, entra: Tokens, connector: Connector) -> None:
        super().__init__(world, entra, connector)
        self.clients = 1
        self._tasks: set[asyncio.Task[None]] = set()
        connector.conversations.on_message.append(self._arrived)

    async def stop(self) -> None:
        """End what the clients still do by themselves."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._calls.stop()

    async def settled(self) -> None:
        """Wait until the clients' silent sign-ins are through."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def verify_state(
        self, person: Person, code: str, conversation: Conversation | None = None
    ) -> Answer:
        """Hand the code that the sign-in page gave back to the bot."""
        place = conversation or self.chat(person)
        answer = await self.invoke(person, "signin/verifyState", {"state": code}, place)
        if answer.ok:
            self._hide_sign_in(place, person)
        return answer

    async def exchange(self, person: Person, message_id: str) -> Answer:
        """Press the button of a sign-in card in a group chat: this person's own exchange comes
        first. Status 0 where there is none to be had: then the pop-up opens.

        Raises:
            LookupError: there is no such message.
        """
        conversation, message = self._find(message_id)
        card = message.attachments(OAUTH_CARD)[0]
        resource = card.get("tokenExchangeResource")
        if not resource or not self._can_sign_in_silently(person, conversation):
            return Answer(0)
        value = self._authentication(person, card)
        name = "signin/tokenExchange"
        origin = {"replyToId": message.id}
        answer = await self.invoke(person, name, value, conversation, **origin)
        if answer.ok:
            message.signed_in_ids.add(person.id)
            self.connector.conversations.touch(conversation)
        return answer

    def _hide_sign_in(self, conversation: Conversation, person: Person) -> None:
        for message in conversation.messages:
            if message.sign_in != "shown":
                continue
            if conversation.kind == "personal":
                message.sign_in = "done"
            else:
                message.signed_in_ids.add(person.id)
        self.connector.conversations.touch(conversation)

    def _arrived(self, conversation: Conversation, message: Message) -> None:
        cards = message.attachments(OAUTH_CARD)
        if not cards:
            return
        # Where others read along, each signs in by his or her own press of the button.
        if not cards[0].get("tokenExchangeResource") or conversation.kind != "personal":
            message.sign_in = "shown"
        elif not self.world.faults.exchange_mute:
            self._spawn(self._sign_in_silently(conversation, message, cards[0]))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sign_in_silently(
        self, conversation: Conversation, message: Message, card: dict[str, Any]
    ) -> None:
        person = self.world.person(conversation.member_ids[0])
        failure = self._failure(person, card["tokenExchangeResource"])
        if failure:
            value = {"code": failure, "message": "Silent sign-in failed."}
            await self.invoke(person, "signin/failure", value, conversation)
            message.sign_in = "shown"
        else:
            value = self._authentication(person, card)
            name = "signin/tokenExchange"
            answers = await asyncio.gather(
                *(
                    self.invoke(person, name, value, conversation, replyToId=message.id)
                    for _ in range(self.clients)
                )
            )
            message.sign_in = "done" if any(answer.ok for answer in answers) else "shown"
        self.connector.conversations.touch(conversation)

    def _failure(self, person: Person, resource: dict[str, Any]) -> str:
        if person.id in self.sign_in_failures:
            return self.sign_in_failures[person.id]
        if not person.has_app:
            return "installedappnotfound"
        uri = str(resource.get("uri", ""))
        if not (uri.startswith("api://") and uri.endswith(f"botid-{self.world.app_id}")):
            return "resourcematchfailed"
        return ""

    def _authentication(self, person: Person, card: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": (card.get("tokenExchangeResource") or {}).get("id"),
            "connectionName": card.get("connectionName"),
            "token": self.entra.sso_token(person),
        }
