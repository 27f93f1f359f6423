"""The Bot Connector: where the bot's replies go, and where the channel's keys are published.

Strict as Teams is: what Microsoft's would refuse, this one refuses, with the same statuses.
"""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from sandbox.bearer import BearerCheck, BearerRefused
from sandbox.channel import Channel, ChannelKey
from sandbox.conversation import OAUTH_CARD, Conversation, Conversations, Message
from sandbox.limits import Fault, Pace, Refusal, Script, check_activity
from sandbox.roster import Roster
from sandbox.world import Person, World

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_BASE = "/amer/v3/conversations"


class _Entra(Protocol):
    @property
    def url(self) -> str: ...


@dataclass(frozen=True)
class ConnectorCall:
    """One call of the bot, and what it was answered; status 0 when its connection was cut."""

    method: str
    path: str
    body: Any
    status: int


class Connector:
    """An aiohttp server on loopback; `service_url` is what activities carry as `serviceUrl`."""

    def __init__(self, world: World, entra: _Entra) -> None:
        self.world = world
        self.entra = entra
        self.channel = Channel(world.app_id)
        self.conversations = Conversations(world)
        self.pace = Pace()
        self.calls: list[ConnectorCall] = []
        self.key_fetches = 0
        self.metadata_fetches = 0
        self.url = ""
        self._bearer = BearerCheck(world.app_id)
        self._script = Script()
        self._runner: web.AppRunner | None = None

    @property
    def service_url(self) -> str:
        """The service URL, with its slash at the end, as Teams has it."""
        return f"{self.url}/amer/"

    @property
    def metadata_url(self) -> str:
        """`BOT_OPENID_METADATA_URL` for the bot."""
        return f"{self.url}/v1/.well-known/openidconfiguration"

    async def start(self, trust: ssl.SSLContext | None = None, port: int = 0) -> None:
        """Listen on loopback. `trust` is what Entra's certificate is checked against."""
        self._bearer = BearerCheck(self.world.app_id, trust)
        app = web.Application(middlewares=[self._guard], client_max_size=4 * 1024 * 1024)
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def sign(self, service_url: str | None = None, **options: Any) -> str:
        """A bearer for a call to the bot; the options are those of `Channel.sign`."""
        return self.channel.sign(service_url or self.service_url, **options)

    def roll_key(self) -> ChannelKey:
        """Another key signs from now on."""
        return self.channel.roll_key()

    def fail_next(self, *faults: Fault, retry_after_s: int | None = None) -> None:
        """Answer the next calls of the bot so, one each.

        A status (412, 429, 502, 504 …) refuses; `reset` cuts the connection before anything is
        done; `lost` does what was asked and cuts the connection then.
        """
        self._script.add(faults, retry_after_s)

    def _routes(self) -> list[web.RouteDef]:
        one = _BASE + "/{conversation}"
        activity = one + "/activities/{activity}"
        return [
            web.get("/v1/.well-known/openidconfiguration", self._metadata),
            web.get("/v1/.well-known/keys", self._keys),
            web.post(_BASE, self._create),
            web.post(one + "/activities", self._send),
            web.post(activity, self._send),
            web.put(activity, self._update),
            web.delete(activity, self._delete),
            *Roster(self.world, self._asked).routes(one),
        ]

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not request.path.startswith("/amer/"):
            return await handler(request)
        body = await _body(request)
        answer = await self._answer(request, handler)
        # A cut connection is kept as status 0: the bot got no answer.
        status = answer.status if answer is not None else 0
        self.calls.append(ConnectorCall(request.method, request.path, body, status))
        if answer is None:
            _cut(request)
            return web.Response()
        return answer

    async def _answer(self, request: web.Request, handler: _Handler) -> web.StreamResponse | None:
        try:
            await self._authenticate(request)
            fault = self._script.next()
            if fault == "reset":
                return None
            answer = await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        return None if fault == "lost" else answer

    async def _authenticate(self, request: web.Request) -> None:
        keys_url = f"{self.entra.url}/{self.world.tenant_id}/discovery/v2.0/keys"
        try:
            await self._bearer.claims(request.headers.get("Authorization", ""), keys_url)
        except BearerRefused:
            raise Refusal(
                401, "Unauthorized", "Authorization has been denied for this request."
            ) from None

    async def _metadata(self, _: web.Request) -> web.Response:
        self.metadata_fetches += 1
        return web.json_response(
            {
                "issuer": "https://api.botframework.com",
                "authorization_endpoint": "https://invalid.botframework.com",
                "jwks_uri": f"{self.url}/v1/.well-known/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["private_key_post"],
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        self.key_fetches += 1
        return web.json_response(self.channel.document())

    async def _create(self, request: web.Request) -> web.Response:
        asked = await _body(request)
        if not isinstance(asked, dict):
            raise Refusal(400, "BadSyntax", "The body must be a JSON object.")
        tenant = ((asked.get("channelData") or {}).get("tenant") or {}).get("id")
        if (asked.get("tenantId") or tenant) != self.world.tenant_id:
            raise Refusal(400, "BadArgument", "The tenant is missing or unknown.")
        channel_id = ((asked.get("channelData") or {}).get("channel") or {}).get("id")
        if channel_id:
            return self._new_thread(str(channel_id), asked)
        conversation = self.conversations.personal(self._only_member(asked))
        self._check_roster(conversation)
        created = {"id": conversation.id, "serviceUrl": self.service_url}
        if asked.get("activity"):
            created["activityId"] = self._deliver(conversation, asked["activity"], request).id
        return web.json_response(created, status=201)

    def _new_thread(self, channel_id: str, asked: dict[str, Any]) -> web.Response:
        conversation = self._conversation(channel_id)
        message = self._deliver(conversation, asked.get("activity"), None)
        thread = f"{conversation.id};messageid={message.id}"
        return web.json_response({"id": thread, "activityId": message.id}, status=201)

    def _only_member(self, asked: dict[str, Any]) -> Person:
        members = asked.get("members")
        if not isinstance(members, list) or len(members) != 1 or asked.get("isGroup"):
            raise Refusal(400, "BadArgument", "A bot can start a chat with one person only.")
        person = self._person(str(members[0].get("id", "")))
        if person is None:
            raise Refusal(400, "BadArgument", "Unknown member.")
        return person

    def _person(self, account_id: str) -> Person | None:
        people = self.world.people.values()
        return next((p for p in people if account_id in {p.teams_id, p.id}), None)

    async def _send(self, request: web.Request) -> web.Response:
        conversation = self._asked(request)
        self.pace.spend(conversation.id)
        activity = await _body(request)
        message = self._deliver(conversation, activity, request)
        return web.json_response({"id": message.id}, status=201)

    def _deliver(
        self, conversation: Conversation, activity: Any, request: web.Request | None
    ) -> Message:
        size = (request.content_length or 0) if request else 0
        checked = dict(check_activity(activity, size))
        if request and "activity" in request.match_info:
            checked.setdefault("replyToId", request.match_info["activity"])
        message_id = self.conversations.new_id()
        message = Message(message_id, self._filled(checked, conversation, message_id), True)
        if checked["type"] == "typing":
            conversation.typing_until = asyncio.get_running_loop().time() + 3
            self.conversations.touch(conversation)
            return message
        conversation.typing_until = 0
        message.sign_in = "waiting" if message.attachments(OAUTH_CARD) else ""
        return self.conversations.add(conversation, message)

    def _filled(
        self, activity: dict[str, Any], conversation: Conversation, message_id: str
    ) -> dict[str, Any]:
        # The Connector knows who speaks and to whom, whatever the bot wrote there.
        own = {
            "id": message_id,
            "timestamp": self.world.now().isoformat(),
            "channelId": "msteams",
            "serviceUrl": self.service_url,
            "from": {"id": f"28:{self.world.app_id}", "name": "Herald"},
            "conversation": conversation.account(),
        }
        if conversation.kind == "personal":
            person = self.world.person(conversation.member_ids[0])
            own["recipient"] = {
                "id": person.teams_id,
                "name": person.name,
                "aadObjectId": person.id,
            }
        return {**activity, **own}

    async def _update(self, request: web.Request) -> web.Response:
        conversation = self._asked(request)
        self.pace.spend(conversation.id)
        message = self._own_message(conversation, request)
        activity = dict(check_activity(await _body(request), request.content_length or 0))
        message.activity = {
            **self._filled(activity, conversation, message.id),
            "timestamp": message.activity["timestamp"],
        }
        message.edited += 1
        message.views.clear()
        message.sign_in = "shown" if message.attachments(OAUTH_CARD) else ""
        self.conversations.touch(conversation)
        return web.json_response({"id": message.id})

    async def _delete(self, request: web.Request) -> web.Response:
        conversation = self._asked(request)
        self.pace.spend(conversation.id)
        message = self._own_message(conversation, request)
        message.deleted = True
        self.conversations.touch(conversation)
        return web.Response(status=200)

    def _asked(self, request: web.Request) -> Conversation:
        conversation = self._conversation(request.match_info["conversation"])
        self._check_roster(conversation)
        return conversation

    def _conversation(self, conversation_id: str) -> Conversation:
        conversation = self.conversations.find(conversation_id)
        if conversation is None:
            raise Refusal(404, "ConversationNotFound", "Conversation not found.")
        return conversation

    def _check_roster(self, conversation: Conversation) -> None:
        personal = conversation.kind == "personal"
        if personal and not self.world.person(conversation.member_ids[0]).has_app:
            conversation.has_bot = False
        if not conversation.has_bot:
            raise Refusal(
                403, "BotNotInConversationRoster", "The bot is not part of the conversation roster."
            )

    def _own_message(self, conversation: Conversation, request: web.Request) -> Message:
        message = conversation.message(request.match_info["activity"])
        if message is None or message.deleted:
            raise Refusal(404, "ActivityNotFoundInConversation", "Unknown activity.")
        if not message.from_bot:
            raise Refusal(403, "Forbidden", "Only the bot's own messages can be changed.")
        return message


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
