"""The application in Entra, as far as its own tokens tell: who it is, and its address for sign-on.

Source: "Microsoft Entra authentication and authorization error codes". An application may ask for a
token for its own address (`api://…`) without any permission: whether Entra gives it, and what the
token says, tells whether "Expose an API" was filled in right.
"""

import base64
import binascii
import json
import re
from collections.abc import AsyncIterator
from typing import Any

from bot.admin.checks.findings import Case, Finding, unsure, well, wrong
from bot.errors import EntraUnavailable, IdentityError, SettingsError
from bot.identity.entra import Entra

_GRAPH = "https://graph.microsoft.com/.default"
_SECRETS = "Certificates & secrets"
_REFUSED = {
    7000215: (
        "Entra doesn't know the secret in MICROSOFT_APP_PASSWORD.",
        f"Under {_SECRETS} make a new one, and copy its Value (not its Secret ID).",
    ),
    7000222: (
        "The secret in MICROSOFT_APP_PASSWORD has expired.",
        f"Under {_SECRETS} make a new one, and put its Value into MICROSOFT_APP_PASSWORD.",
    ),
    700027: (
        "Entra doesn't know the certificate in MICROSOFT_APP_CERTIFICATE.",
        f"Upload its public part under {_SECRETS}.",
    ),
    700016: (
        "Entra knows no application with MICROSOFT_APP_ID in this tenant.",
        "Copy Application (client) ID and Directory (tenant) ID from the Overview page.",
    ),
    90002: (
        "Entra knows no tenant with MICROSOFT_APP_TENANT_ID.",
        "Copy Directory (tenant) ID from the Overview page.",
    ),
}
_EXPOSE = "Under Expose an API set the Application ID URI to exactly {}."


async def check(case: Case) -> AsyncIterator[Finding]:
    """The bot's token, then what a token for the application's own address tells."""
    if not case.entra_answers:
        yield unsure("The application was not looked at: Entra does not answer.", _FIRST)
        return
    settings = case.settings
    try:
        await _token(case, settings.bot_token_scope, of_the_bot=True)
    except SettingsError as error:
        yield wrong(f"{error}.", "Put the key and its certificate into one PEM file.")
        return
    except IdentityError as error:
        yield _refusal(error)
        return
    kind = "a single-tenant" if settings.microsoft_app_type == "SingleTenant" else "a multi-tenant"
    yield well(f"Entra gives the bot its token, as {kind} application.")
    if not settings.microsoft_app_tenant_id:
        return
    case.app_token = await _silently(case, _GRAPH)
    yield await _own_address(case)


_FIRST = "Mend what is said above first."


async def _own_address(case: Case) -> Finding:
    address = case.settings.sso_resource
    try:
        claims = _claims(await _token(case, f"{address}/.default"))
    except IdentityError as error:
        if 500011 in _codes(error):
            return wrong(f"No application has the address {address}.", _EXPOSE.format(address))
        return unsure(
            f"Entra gives no token for {address} ({error}).",
            "Compare the Application ID URI under Expose an API with it.",
        )
    if str(claims.get("ver")) != "2.0":
        return wrong(
            f"{address} is the application's, but its tokens are of version 1.",
            "Under Manifest set requestedAccessTokenVersion, inside api, to 2.",
        )
    if claims.get("aud") != case.settings.microsoft_app_id:
        return wrong(
            f"{address} belongs to another application.",
            "Take it away there; then "
            + _EXPOSE.format(address)[:1].lower()
            + _EXPOSE.format(address)[1:],
        )
    return well(f"{address} is the application's own, with tokens of version 2.")


def _refusal(error: IdentityError) -> Finding:
    for code in _codes(error):
        if code in _REFUSED:
            return wrong(*_REFUSED[code])
    if isinstance(error, EntraUnavailable):
        return wrong("Entra did not answer a request for a token.", "Try again in a few minutes.")
    return wrong(
        f"Entra gives the bot no token: {error}.", "Look the number up in docs/register.md."
    )


async def _silently(case: Case, scope: str) -> str:
    try:
        return await _token(case, scope)
    except IdentityError:
        return ""


async def _token(case: Case, scope: str, *, of_the_bot: bool = False) -> str:
    changed: dict[str, Any] = {"bot_token_scope": scope}
    if not of_the_bot:
        # In its own tenant, also where the bot's token comes from the multi-tenant bots' one.
        changed["microsoft_app_type"] = "SingleTenant"
    entra = Entra(case.settings.model_copy(update=changed))
    try:
        token, _ = await entra.bot_token()
    finally:
        entra.close()
    return token


def _codes(error: Exception) -> list[int]:
    return [int(code) for code in re.findall(r"\d{5,8}", str(error))]


def _claims(token: str) -> dict[str, Any]:
    # Ours to read, not to trust: Entra gave it to us a moment ago.
    body = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
