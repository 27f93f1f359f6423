"""The SDK's side of the connector: the operations its adapter calls, over `Connector`."""

from typing import TYPE_CHECKING, Any

from botbuilder.schema import (
    ConversationResourceResponse,
    PagedMembersResult,
    ResourceResponse,
)
from botbuilder.schema.teams import TeamsChannelAccount, TeamsPagedMembersResult

from bot.teams.activity import read_model

if TYPE_CHECKING:
    from bot.teams.connector import Connector


class ConnectorConversations:
    """The operations of one service address. Each raises as `Connector.send` does."""

    def __init__(self, connector: "Connector", service_url: str) -> None:
        self._connector = connector
        self._service_url = service_url

    async def send_to_conversation(self, conversation_id: str, activity: Any) -> ResourceResponse:
        """Post an activity at the end of a conversation."""
        made = await self._connector.send(self._service_url, conversation_id, activity)
        return ResourceResponse(id=made)

    async def reply_to_activity(
        self, conversation_id: str, activity_id: str, activity: Any
    ) -> ResourceResponse:
        """Post an activity in the thread of another."""
        made = await self._connector.reply(
            self._service_url, conversation_id, activity_id, activity
        )
        return ResourceResponse(id=made)

    async def update_activity(
        self, conversation_id: str, activity_id: str, activity: Any
    ) -> ResourceResponse:
        """Replace an activity."""
        kept = await self._connector.update(
            self._service_url, conversation_id, activity_id, activity
        )
        return ResourceResponse(id=kept)

    async def delete_activity(self, conversation_id: str, activity_id: str) -> None:
        """Delete an activity."""
        await self._connector.delete(self._service_url, conversation_id, activity_id)

    async def create_conversation(self, parameters: Any) -> ConversationResourceResponse:
        """Create a conversation from the SDK's ConversationParameters."""
        made = await self._connector.create_conversation(self._service_url, parameters)
        return read_model(ConversationResourceResponse, made)

    async def get_conversation_member(
        self, conversation_id: str, member_id: str
    ) -> TeamsChannelAccount:
        """One member, with what Teams tells of people (mail, principal name)."""
        found = await self._connector.member(self._service_url, conversation_id, member_id)
        return read_model(TeamsChannelAccount, found)

    async def get_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> PagedMembersResult:
        """One page of members."""
        page = await self._connector.members(
            self._service_url, conversation_id, page_size, continuation_token
        )
        return read_model(PagedMembersResult, page)

    async def get_teams_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> TeamsPagedMembersResult:
        """One page of members, with what Teams tells of people."""
        page = await self._connector.members(
            self._service_url, conversation_id, page_size, continuation_token
        )
        return read_model(TeamsPagedMembersResult, page)
