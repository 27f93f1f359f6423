"""What a check found, and what all checks share: the settings and a way to ask the network."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import aiohttp

from bot.errors import HeraldError
from bot.settings import Settings

_PATIENCE_S = 10.0
_LONGEST_ANSWER = 4 * 1024 * 1024


class Verdict(StrEnum):
    """Whether it is as it should be; `unsure` where nobody can tell from here."""

    WELL = "well"
    WRONG = "wrong"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` is the one thing to do, for all but what is well."""

    verdict: Verdict
    sentence: str
    remedy: str = ""


def well(sentence: str) -> Finding:
    """It is as it should be."""
    return Finding(Verdict.WELL, sentence)


def wrong(sentence: str, remedy: str) -> Finding:
    """It is not, and this is what to do."""
    return Finding(Verdict.WRONG, sentence, remedy)


def unsure(sentence: str, remedy: str) -> Finding:
    """It can't be told from here; this is where to look."""
    return Finding(Verdict.UNSURE, sentence, remedy)


class Unreachable(HeraldError):
    """Nothing answered there."""


@dataclass(frozen=True)
class Reply:
    """What came back: a status, headers by lower-case name, and the body as text and as JSON."""

    status: int
    headers: dict[str, str]
    body: Any  # None where it isn't JSON
    text: str = field(default="", repr=False)

    def says(self, *path: str) -> Any:
        """What stands at this path of the JSON, or None."""
        found = self.body
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found


@dataclass
class Case:
    """What is examined, and what earlier checks found out for later ones.

    `application` is Graph's `application` resource; `granted` the delegated permissions granted to
    everybody. Both are None where nobody could tell.
    """

    settings: Settings
    session: aiohttp.ClientSession
    manifest_package: bytes | None = None
    application: dict[str, Any] | None = None
    granted: frozenset[str] | None = None
    app_token: str = field(default="", repr=False)
    entra_answers: bool = True

    async def ask(self, method: str, address: str, **options: Any) -> Reply:
        """One request, redirects not followed. Raises Unreachable, whose detail says why."""
        timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
        try:
            async with self.session.request(
                method, address, timeout=timeout, allow_redirects=False, **options
            ) as answer:
                raw = await answer.content.read(_LONGEST_ANSWER)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                text = raw.decode("utf-8", "replace")
                return Reply(answer.status, headers, _json(raw), text)
        except aiohttp.ClientConnectorCertificateError:
            raise Unreachable("its certificate is not trusted here") from None
        except aiohttp.ClientConnectorDNSError:
            raise Unreachable("its name is not known here") from None
        except TimeoutError:
            raise Unreachable(f"no answer within {_PATIENCE_S:.0f} seconds") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise Unreachable(type(error).__name__) from None


Check = Callable[[Case], AsyncIterator[Finding]]


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
