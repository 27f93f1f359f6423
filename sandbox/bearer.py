"""Checks the bearer that the bot shows to the Bot Connector, against Entra's published keys."""

import ssl
from typing import Any

import aiohttp
import jwt

AUDIENCE = "https://api.botframework.com"
CLOCK_SKEW_S = 300  # what Microsoft's own validators allow


class BearerRefused(Exception):
    """The bearer is missing or not good; the message says why."""


class BearerCheck:
    """Reads Entra's keys over TLS once, and again when a token names a key it does not know."""

    def __init__(self, app_id: str, trust: ssl.SSLContext | None = None) -> None:
        self.app_id = app_id
        self.trust = trust
        self._keys: dict[str, jwt.PyJWK] = {}

    async def claims(self, authorization: str, keys_url: str) -> dict[str, Any]:
        """The claims of a good token.

        Raises:
            BearerRefused: no token, or not an RS256 token of this app for the Bot Connector.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise BearerRefused("no bearer token")
        try:
            head = jwt.get_unverified_header(token)
            key = await self._key(str(head.get("kid")), keys_url)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=AUDIENCE,
                leeway=CLOCK_SKEW_S,
                options={"require": ["exp", "aud", "iss"]},
            )
        except jwt.PyJWTError as error:
            raise BearerRefused(str(error)) from None
        if self.app_id not in {claims.get("appid"), claims.get("azp")}:
            raise BearerRefused("a token of another application")
        return claims

    async def _key(self, kid: str, keys_url: str) -> jwt.PyJWK:
        if kid not in self._keys:
            self._keys = await self._read(keys_url)
        if kid not in self._keys:
            raise BearerRefused("signed by an unknown key")
        return self._keys[kid]

    async def _read(self, keys_url: str) -> dict[str, jwt.PyJWK]:
        connector = aiohttp.TCPConnector(ssl=self.trust if self.trust is not None else True)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(keys_url) as answer,
        ):
            document = await answer.json()
        return {key["kid"]: jwt.PyJWK(key, algorithm="RS256") for key in document["keys"]}
