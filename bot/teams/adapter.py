"""The SDK's adapter, between a door and a connector of our own.

`CloudAdapterBase` runs the middleware and the bot, and nothing else of it is used: tokens are
checked before it (`channel_auth`), and replies go through `connector`. The SDK's own parts fetch
keys on the event loop, make a new MSAL application and two msrest configurations for every turn,
and end a turn with 500 when a reply is throttled.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

from botbuilder.core import CloudAdapterBase, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ConversationReference, DeliveryModes
from botframework.connector.auth import (
    AuthenticateRequestResult,
    BotFrameworkAuthentication,
    CallerIdConstants,
    ClaimsIdentity,
    ConnectorFactory,
)

from bot.settings import Settings
from bot.teams.channel_auth import Claims
from bot.teams.connector import Connector, ConnectorClient

RAW = "herald.raw"
"""Where `context.turn_state` keeps the activity as it came, because the SDK's model loses some of
it (`conversation.tenantId`)."""

Logic = Callable[[TurnContext], Awaitable[Any]]


class HeraldAdapter(CloudAdapterBase):  # type: ignore[misc]
    """Runs turns. `on_turn_error`, when set, gets (context, error) of a turn that failed."""

    def __init__(self, settings: Settings, connector: Connector) -> None:
        self._app_id = settings.microsoft_app_id
        self._audience = settings.bot_token_scope.removesuffix("/.default")
        self._factory = _Factory(connector)
        super().__init__(_Authentication(self._factory))

    async def process(
        self, claims: Claims, activity: Activity, raw: Mapping[str, Any], logic: Logic
    ) -> InvokeResponse | None:
        """One turn of a verified activity; the answer of an invoke, None for anything else.

        Raises whatever the bot raised, unless `on_turn_error` took care of it.
        """
        result = AuthenticateRequestResult()
        result.audience = self._audience
        result.claims_identity = ClaimsIdentity(dict(claims.values), True)
        result.caller_id = CallerIdConstants.public_azure_channel
        result.connector_factory = self._factory

        async def turn(context: TurnContext) -> None:
            context.turn_state[RAW] = raw
            await logic(context)

        answer: InvokeResponse | None = await self.process_activity(result, activity, turn)
        return answer

    async def continue_conversation(
        self, reference: ConversationReference, callback: Logic, *_: Any, **__: Any
    ) -> None:
        """A turn that nobody's message started, in a conversation known from an earlier one."""
        await super().continue_conversation(reference, callback, bot_app_id=self._app_id)

    def _process_turn_results(self, context: TurnContext) -> InvokeResponse | None:
        if context.activity.delivery_mode == DeliveryModes.expect_replies:
            # Left as models: the endpoint writes them, once.
            body = {"activities": context.buffered_reply_activities}
            return InvokeResponse(status=200, body=body)
        return super()._process_turn_results(context)


class _Factory(ConnectorFactory):  # type: ignore[misc]
    """Hands out the pooled client, whatever the audience: a bot for Teams has only one."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    async def create(self, service_url: str, _audience: str | None) -> ConnectorClient:
        return self._connector.client(service_url)


class _Authentication(BotFrameworkAuthentication):  # type: ignore[misc]
    """What the SDK's adapter wants to have, without any authentication in it."""

    def __init__(self, factory: _Factory) -> None:
        self._factory = factory
        self._no_tokens = _NoTokenService()

    def create_connector_factory(self, _identity: ClaimsIdentity) -> _Factory:
        return self._factory

    async def create_user_token_client(self, _identity: ClaimsIdentity) -> "_NoTokenService":
        return self._no_tokens

    async def authenticate_request(self, activity: Activity, auth_header: str) -> NoReturn:
        raise NotImplementedError("tokens are checked by channel_auth")

    async def authenticate_streaming_request(
        self, auth_header: str, channel_id_header: str
    ) -> NoReturn:
        raise NotImplementedError("there are no streaming connections")


class _NoTokenService:
    """In the place of Azure's token service, which is not used: sign-in is `bot.identity`."""
