"""The settings: those that are read, and what only time or another eye finds."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from bot.admin.checks.findings import Case, Finding, well, wrong
from bot.admin.sources import strangers

_SOON = timedelta(days=30)
_RENEW = "Upload a new one under Certificates & secrets, and put its PEM file in its place."


async def check(case: Case) -> AsyncIterator[Finding]:
    """What `Settings` itself lets pass; it has found the rest in order."""
    yield well("Every setting that is needed is there, and they fit together.")
    for name in strangers():
        yield wrong(
            f"{name} stands in .env and is not a setting of Herald.",
            "Correct its name, or take it out.",
        )
    if case.settings.environment == "local":
        yield well("ENVIRONMENT is local: right for the sandbox, never in production.")
    if case.settings.microsoft_app_certificate:
        yield _certificate(case.settings.microsoft_app_certificate, datetime.now(UTC))


def _certificate(path: Path, now: datetime) -> Finding:
    try:
        ends_at = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return wrong(
            "MICROSOFT_APP_CERTIFICATE can't be read as a PEM file with a certificate.",
            "Put the private key and its certificate into one PEM file that Herald may read.",
        )
    day = f"{ends_at:%Y-%m-%d}"
    if ends_at <= now:
        return wrong(f"The certificate ended on {day}.", _RENEW)
    if ends_at - now < _SOON:
        return wrong(f"The certificate ends on {day}.", _RENEW)
    return well(f"The certificate is good until {day}.")
