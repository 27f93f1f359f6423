"""The database: whether it opens, whose version its tables are, and what is sealed in it."""

from collections.abc import AsyncIterator

from bot.admin.checks.findings import Case, Finding, well, wrong
from bot.admin.database import standing
from bot.admin.keys import account
from bot.delivery.upgrade import Standing
from bot.errors import HeraldError


async def check(case: Case) -> AsyncIterator[Finding]:
    """In the order in which each needs the one before."""
    settings = case.settings
    kind = "PostgreSQL" if settings.database_url.startswith("postgresql") else "SQLite"
    try:
        stands = await standing(settings.database_url)
    except HeraldError:
        yield wrong(
            f"The {kind} database can't be opened.",
            "See that it runs, and that address, name and password in DATABASE_URL are right.",
        )
        return
    if stands is Standing.NEWER:
        yield wrong(
            f"A newer version of Herald wrote the {kind} database.",
            "Install that version again, or restore the backup from before.",
        )
        return
    if stands is Standing.MOVED:
        yield wrong(
            f"Everything in the {kind} database was moved to another one.",
            "Put the other one's address into DATABASE_URL.",
        )
        return
    if stands is Standing.BEHIND:
        yield wrong(
            f"The {kind} database is from an older version.",
            "Run python -m bot db upgrade, or start Herald, which does the same.",
        )
        return
    if stands is Standing.EMPTY:
        yield well(f"The {kind} database is empty; the first start makes its tables.")
        return
    yield well(f"The {kind} database opens, and its tables are those of this version.")
    yield await _seals(case)


async def _seals(case: Case) -> Finding:
    found = await account(case.settings, write=False, begun=lambda _total: lambda _done: None)
    if found.unreadable:
        return wrong(
            f"{found.unreadable:,} of {found.total:,} stored records are sealed with a key that is "
            "not in SECRET_KEYS, or were changed in the database.",
            "Put that key back, at the end of SECRET_KEYS.",
        )
    if found.under_old:
        return well(
            f"{found.under_old:,} of {found.total:,} stored records are under an older key; "
            "python -m bot keys rotate moves them."
        )
    return well(f"All {found.total:,} stored records open with the newest key.")
