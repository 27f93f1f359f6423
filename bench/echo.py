"""The peer of a turn: the SDK's echo bot, as its samples show it, with nothing else in it.

`python -m bench.echo` reads its settings from the environment. With `ECHO_TOKEN` set it is spared
its own token requests: it is handed that token, which the samples don't do.
"""

import os

from aiohttp import web
from botbuilder.core import ActivityHandler, MessageFactory, TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botframework.connector.auth import (
    AppCredentials,
    PasswordServiceClientCredentialFactory,
    ServiceClientCredentialsFactory,
)


class Configuration:
    """The sample's `DefaultConfig`, and the addresses of the stand-ins."""

    APP_ID = os.environ["ECHO_APP_ID"]
    APP_PASSWORD = os.environ["ECHO_APP_PASSWORD"]
    APP_TYPE = "MultiTenant"
    TO_CHANNEL_FROM_BOT_LOGIN_URL = os.environ["ECHO_AUTHORITY"]
    TO_CHANNEL_FROM_BOT_OAUTH_SCOPE = "https://api.botframework.com"
    TO_BOT_FROM_CHANNEL_TOKEN_ISSUER = "https://api.botframework.com"
    TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL = os.environ["ECHO_METADATA_URL"]
    TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL = os.environ["ECHO_METADATA_URL"]
    OAUTH_URL = "https://token.botframework.com"


class _OneToken(AppCredentials):  # type: ignore[misc]
    def get_access_token(self, _force_refresh: bool = False) -> str:
        return os.environ["ECHO_TOKEN"]


class _OneTokenFactory(PasswordServiceClientCredentialFactory):  # type: ignore[misc]
    async def create_credentials(self, *_: object, **__: object) -> AppCredentials:
        return _OneToken(app_id=self.app_id)


class EchoBot(ActivityHandler):  # type: ignore[misc]
    """Says what it was told."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """One message."""
        await turn_context.send_activity(MessageFactory.text(f"Echo: {turn_context.activity.text}"))


def _credentials() -> ServiceClientCredentialsFactory | None:
    if "ECHO_TOKEN" not in os.environ:
        return None
    return _OneTokenFactory(Configuration.APP_ID, Configuration.APP_PASSWORD)


def main() -> None:
    """Serve it."""
    adapter = CloudAdapter(
        ConfigurationBotFrameworkAuthentication(Configuration(), credentials_factory=_credentials())
    )

    async def on_error(_context: TurnContext, error: Exception) -> None:
        raise error

    adapter.on_turn_error = on_error
    bot = EchoBot()

    async def messages(request: web.Request) -> web.Response:
        answer: web.Response = await adapter.process(request, bot)
        return answer

    app = web.Application()
    app.router.add_post("/api/messages", messages)
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)


if __name__ == "__main__":
    main()
