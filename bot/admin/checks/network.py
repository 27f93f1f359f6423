"""Whether Entra, Graph and Teams' keys can be reached, and whether the clocks agree.

Tokens are good for minutes: a clock that is wrong by more makes every one of them look expired.
"""

import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

from bot.admin.checks.findings import Case, Finding, Reply, Unreachable, well, wrong

_CONFIGURATION = "/v2.0/.well-known/openid-configuration"
_SKEW_S = 120.0  # Entra and Teams allow five minutes; more than two is on its way there
_OPEN_UP = "See that this machine may reach it: firewall, proxy (HTTPS_PROXY) and name server."


async def check(case: Case) -> AsyncIterator[Finding]:
    """Entra first: without it nothing further can be told."""
    async for finding in _entra(case):
        yield finding
    async for finding in _graph(case):
        yield finding
    async for finding in _keys(case):
        yield finding


async def _entra(case: Case) -> AsyncIterator[Finding]:
    settings = case.settings
    tenant = settings.microsoft_app_tenant_id or "organizations"
    address = f"{settings.entra_authority}/{tenant}{_CONFIGURATION}"
    try:
        reply = await case.ask("GET", address)
    except Unreachable as error:
        case.entra_answers = False
        yield wrong(f"Entra can't be reached at {settings.entra_authority}: {error}.", _OPEN_UP)
        return
    if reply.status == 400:
        case.entra_answers = False
        yield wrong(
            f"Entra knows no tenant {tenant}.",
            "Copy Directory (tenant) ID from the application's Overview page into "
            "MICROSOFT_APP_TENANT_ID.",
        )
        return
    if reply.status != 200 or not reply.says("token_endpoint"):
        case.entra_answers = False
        yield wrong(
            f"Entra answered {reply.status} at {settings.entra_authority}.",
            "See whether ENTRA_AUTHORITY is right; if it is, try again in a few minutes.",
        )
        return
    yield well("Entra answers, and knows the tenant.")
    yield _clock(reply)


def _clock(reply: Reply) -> Finding:
    try:
        theirs = parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return well("Entra did not tell its time.")
    ahead_s = time.time() - theirs
    if abs(ahead_s) <= _SKEW_S:
        return well("This machine's clock agrees with Entra's.")
    way = "ahead of" if ahead_s > 0 else "behind"
    return wrong(
        f"This machine's clock is {abs(ahead_s):,.0f} seconds {way} Entra's.",
        "Set the clock, and let the machine keep it by NTP.",
    )


async def _graph(case: Case) -> AsyncIterator[Finding]:
    try:
        reply = await case.ask("GET", f"{case.settings.graph_url}/v1.0/me")
    except Unreachable as error:
        yield wrong(f"Graph can't be reached at {case.settings.graph_url}: {error}.", _OPEN_UP)
        return
    if reply.status == 401:
        yield well("Graph answers.")
    else:
        yield wrong(
            f"Graph answered {reply.status} to a request without a token; 401 is right.",
            "See whether GRAPH_URL is right; if it is, try again in a few minutes.",
        )


async def _keys(case: Case) -> AsyncIterator[Finding]:
    address = case.settings.bot_openid_metadata_url
    try:
        metadata = await case.ask("GET", address)
        keys = await case.ask("GET", str(metadata.says("jwks_uri") or address))
    except Unreachable as error:
        yield wrong(f"The keys of Teams' calls can't be read at {address}: {error}.", _OPEN_UP)
        return
    if isinstance(keys.says("keys"), list) and keys.says("keys"):
        yield well("The keys that Teams' calls are signed with can be read.")
    else:
        yield wrong(
            f"There are no keys of Teams' calls at {address}.",
            "Take BOT_OPENID_METADATA_URL out of the settings: its default is right.",
        )
