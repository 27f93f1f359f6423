"""Herald as Teams and browsers reach it: the messaging endpoint, and the sign-in pages.

Asked from this machine by its public address. A request without a signature has to be refused.
"""

from collections.abc import AsyncIterator

from bot.admin.checks.findings import Case, Finding, Reply, Unreachable, well, wrong

_PROXIES = {502, 503, 504}
_HERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - listening everywhere is here too
_MOST_LINES = 5


async def check(case: Case) -> AsyncIterator[Finding]:
    """The endpoint first: where nothing answers there, nothing else does."""
    address = f"{case.settings.public_url}/api/messages"
    try:
        reply = await case.ask("POST", address, json={"type": "message"})
    except Unreachable as error:
        yield wrong(
            f"Nothing answers at {address}: {error}.",
            "Start Herald, and put something in front of it that speaks HTTPS for PUBLIC_URL.",
        )
        return
    finding = _endpoint(address, reply)
    yield finding
    if reply.status == 401:
        yield await _pages(case)
    async for finding in _own_word(case):
        yield finding


def _endpoint(address: str, reply: Reply) -> Finding:
    if reply.status == 401:
        return well(f"{address} refuses a request without a signature, as it should.")
    if reply.status in _PROXIES:
        return wrong(
            f"{address} answers {reply.status}: what stands in front doesn't reach Herald.",
            "Start Herald, and let the proxy pass requests on to HOST and PORT.",
        )
    if reply.status in {301, 302, 307, 308}:
        return wrong(
            f"{address} sends callers elsewhere ({reply.status}), which Teams doesn't follow.",
            "Put the address that it leads to into PUBLIC_URL and the bot's messaging endpoint.",
        )
    return wrong(
        f"{address} answers {reply.status} to a request without a signature; 401 is right.",
        "See that the proxy passes /api/messages on to Herald and not to something else.",
    )


async def _own_word(case: Case) -> AsyncIterator[Finding]:
    """What a Herald on this machine says of itself; nothing where none answers."""
    settings = case.settings
    if not settings.metrics_port:
        return
    host = _HERE.get(settings.metrics_host, settings.metrics_host)
    try:
        reply = await case.ask("GET", f"http://{host}:{settings.metrics_port}/readyz")
    except Unreachable:
        return  # it runs on another machine, or in another container
    if reply.status == 200:
        yield well("Herald on this machine says that it is ready.")
        return
    lines = [line for line in reply.text.splitlines() if line and not line.endswith(": ok")]
    for line in lines[:_MOST_LINES] or [f"it answered {reply.status}"]:
        yield wrong(
            f"Herald on this machine says that it is not ready: {line.rstrip('.')}.",
            "Look the sentence up in docs/troubleshooting.md.",
        )


async def _pages(case: Case) -> Finding:
    address = f"{case.settings.public_url}/auth/page.css"
    try:
        reply = await case.ask("GET", address)
    except Unreachable as error:
        return wrong(f"The sign-in pages don't answer: {error}.", "Let the proxy pass /auth/ on.")
    if reply.status == 200 and "text/css" in reply.headers.get("content-type", ""):
        return well("The sign-in pages can be reached.")
    return wrong(
        f"{address} answers {reply.status}.",
        "Let the proxy pass /auth/ on to Herald as well.",
    )
