"""The app package: against Microsoft's schema, the settings, and the kinds of notice in use."""

import json
from collections import Counter
from collections.abc import AsyncIterator

from bot.admin import package
from bot.admin.checks.findings import Case, Finding, well, wrong
from bot.admin.deliveries import NOTICES, opened
from bot.admin.schemas import SchemasMissing
from bot.delivery.models import WAITING
from bot.delivery.oversight import Wanted
from bot.errors import CannotStart
from bot.notifications.activity_types import FREE_TEXT

_MANY = 1_000


async def check(case: Case) -> AsyncIterator[Finding]:
    """The folder `manifest/`, the package that was uploaded if it is given, and what waits."""
    try:
        built = package.build(case.settings)
        found = []
    except SchemasMissing:
        yield wrong(
            "Microsoft's manifest schemas are not here, so the package can't be checked.",
            "Run npm ci --omit=dev beside app.py.",
        )
        return
    except package.PackageError as error:
        found = list(error.problems)
    for problem in found:
        yield wrong(problem, "Correct it in the folder manifest.")
    if not found:
        yield well("The manifest fits Microsoft's schema and the settings.")
        if case.manifest_package is not None:
            async for finding in _given(case, built):
                yield finding
    async for finding in _waiting(case):
        yield finding


async def _given(case: Case, built: bytes) -> AsyncIterator[Finding]:
    problems = package.problems(case.manifest_package or b"", case.settings)
    for problem in problems:
        yield wrong(f"In the given package: {problem}", "Build it anew: python -m bot package.")
    if not problems and case.manifest_package == built:
        yield well("The given package is what these settings make.")
    elif not problems:
        yield wrong(
            "The given package is good, but not what the folder manifest makes now.",
            "Raise version in manifest/manifest.json, build it anew, and upload it.",
        )


async def _waiting(case: Case) -> AsyncIterator[Finding]:
    manifest = json.loads((package.MANIFEST_DIR / "manifest.json").read_text("utf-8"))
    rows = manifest.get("activities", {}).get("activityTypes", [])
    declared = {FREE_TEXT, *(row.get("type") for row in rows)}
    try:
        kinds = await _kinds_waiting(case)
    except CannotStart:
        return  # the database's own checks said why
    for kind, count in sorted(kinds.items()):
        if kind and kind not in declared:
            yield wrong(
                f"{count} waiting notices are of the kind {kind}, which the manifest doesn't "
                "declare any more.",
                "Put it back into activityTypes, or cancel them: python -m bot deliveries list "
                "--state waiting --kind notice.",
            )
    if all(kind in declared for kind in kinds if kind):
        yield well("Every kind of notice that waits is declared in the manifest.")


async def _kinds_waiting(case: Case) -> Counter[str]:
    async with opened(case.settings) as deliveries:
        found = await deliveries.requests(Wanted(WAITING, NOTICES, most=_MANY))
    return Counter(str(request.get("activity_type", "")) for request in found)
