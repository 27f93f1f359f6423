"""`python -m bot doctor`: everything between an application in Entra and a working Herald.

The groups are looked at in the order a person would; each finding says what is so, and for what
isn't, the one thing to do.
"""

import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from bot.admin.checks import (
    application,
    configuration,
    door,
    manifest,
    network,
    registration,
    storage,
)
from bot.admin.checks.findings import Case, Check, Finding, wrong
from bot.errors import HeraldError
from bot.settings import Settings

GROUPS: tuple[tuple[str, Check], ...] = (
    ("Settings", configuration.check),
    ("Database", storage.check),
    ("Network", network.check),
    ("Application in Entra", registration.check),
    ("Its pages and permissions", application.check),
    ("App package", manifest.check),
    ("Herald from outside", door.check),
)


async def examine(
    settings: Settings,
    *,
    app: dict[str, Any] | None = None,
    manifest_package: bytes | None = None,
) -> AsyncIterator[tuple[str, Finding]]:
    """Every finding with its group's name, as soon as it is known. Raises nothing of ours."""
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
    # Proxies of the environment count, as they do for Herald's own requests to Entra.
    async with aiohttp.ClientSession(connector=connector, trust_env=True) as session:
        case = Case(settings, session, manifest_package, app)
        for name, check in GROUPS:
            try:
                async for finding in check(case):
                    yield name, finding
            except HeraldError as error:
                yield name, wrong(str(error), "Mend what is said above first, then look again.")
