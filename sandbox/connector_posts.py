"""What a bot may do in a conversation through the Connector: begin it, post, change, delete."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.conversation import OAUTH_CARD, Conversation, Conversations, Message
from sandbox.limits import Pace, Refusal, check_activity
from sandbox.world import Person

_THREAD = ";messageid="


class Posts:
    """The routes of conversations and their activities."""

    def __init__(
        self, conversations: Conversations, pace: Pace, service_url: Callable[[], str]
    ) -> None:
        self.conversations = conversations
        self.world = conversations.world
        self.pace = pace
        self._service_url = service_url

    def routes(self, base: str) -> list[web.RouteDef]:
        """The routes under the path of all conversations."""
        activities = base + "/{conversation}/activities"
        activity = activities + "/{activity}"
        return [
            web.post(base, self._create),
            web.post(activities, self._send),
            web.post(activity, self._send),
            web.put(activity, self._update),
            web.delete(activity, self._delete),
        ]

    def asked(self, request: web.Request) -> Conversation:
        """The conversation that a request names; refuses where the bot has no business."""
        conversation = self._conversation(request.match_info["conversation"])
        self._check_roster(conversation)
        return conversation

    async def _create(self, request: web.Request) -> web.Response:
        asked = await body_of(request)
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
        created = {"id": conversation.id, "serviceUrl": self._service_url()}
        if asked.get("activity"):
            created["activityId"] = self._deliver(conversation, asked["activity"], request).id
        return web.json_response(created, status=201)

    def _new_thread(self, channel_id: str, asked: dict[str, Any]) -> web.Response:
        conversation = self._conversation(channel_id)
        self._check_roster(conversation)
        message = self._deliver(conversation, asked.get("activity"), None)
        thread = f"{conversation.id}{_THREAD}{message.id}"
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
        conversation = self.asked(request)
        self.pace.spend(conversation.id)
        activity = await body_of(request)
        message = self._deliver(conversation, activity, request)
        return web.json_response({"id": message.id}, status=201)

    def _deliver(
        self, conversation: Conversation, activity: Any, request: web.Request | None
    ) -> Message:
        size = (request.content_length or 0) if request else 0
        checked = dict(check_activity(activity, size))
        named = request.match_info if request else {}
        if "activity" in named:
            checked.setdefault("replyToId", named["activity"])
        message_id = self.conversations.new_id()
        root_id = self._root(conversation, named.get("conversation", ""), message_id)
        filled = self._filled(checked, conversation, message_id, root_id)
        message = Message(message_id, filled, True, root_id=root_id)
        if checked["type"] == "typing":
            conversation.typing_until = asyncio.get_running_loop().time() + 3
            self.conversations.touch(conversation)
            return message
        conversation.typing_until = 0
        message.sign_in = "waiting" if message.attachments(OAUTH_CARD) else ""
        return self.conversations.add(conversation, message)

    def _root(self, conversation: Conversation, address: str, message_id: str) -> str:
        """The thread that a new message goes to; in a channel itself, it begins one."""
        if conversation.kind != "channel":
            return ""
        return address.partition(_THREAD)[2] or message_id

    def _filled(
        self, activity: dict[str, Any], conversation: Conversation, message_id: str, root_id: str
    ) -> dict[str, Any]:
        # The Connector knows who speaks and to whom, whatever the bot wrote there.
        own = {
            "id": message_id,
            "timestamp": self.world.now().isoformat(),
            "channelId": "msteams",
            "serviceUrl": self._service_url(),
            "from": {"id": f"28:{self.world.app_id}", "name": "Herald"},
            "conversation": conversation.account(root_id),
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
        conversation = self.asked(request)
        self.pace.spend(conversation.id)
        message = self._own_message(conversation, request)
        activity = dict(check_activity(await body_of(request), request.content_length or 0))
        message.activity = {
            **self._filled(activity, conversation, message.id, message.root_id),
            "timestamp": message.activity["timestamp"],
        }
        message.edited += 1
        message.views.clear()
        message.sign_in = "shown" if message.attachments(OAUTH_CARD) else ""
        self.conversations.touch(conversation)
        return web.json_response({"id": message.id})

    async def _delete(self, request: web.Request) -> web.Response:
        conversation = self.asked(request)
        self.pace.spend(conversation.id)
        message = self._own_message(conversation, request)
        message.deleted = True
        self.conversations.touch(conversation)
        return web.Response(status=200)

    def _conversation(self, conversation_id: str) -> Conversation:
        conversation = self.conversations.find(conversation_id)
        if conversation is None or conversation.deleted:
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


async def body_of(request: web.Request) -> Any:
    """The request's body as JSON; None where it is none."""
    raw = await request.read()
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return None
