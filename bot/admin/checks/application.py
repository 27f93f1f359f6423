"""The application's pages in Entra, read from Graph, or from a file that an administrator made.

Herald asks for no application permissions, so that Graph usually doesn't tell it how it is
registered itself. Then the pages are named on which to look, and a command whose output `doctor`
reads. Source: Graph's resources `application`, `servicePrincipal` and `oauth2PermissionGrant`.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from bot.admin.checks.findings import Case, Finding, Reply, Unreachable, unsure, well, wrong
from bot.admin.deliveries import opened
from bot.delivery.models import Kind, State
from bot.delivery.oversight import Wanted
from bot.errors import HeraldError
from bot.identity.permissions import ADMIN_ONLY, MEETINGS, NOTIFY, SIGN_IN, TEXT

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
TEAMS_CLIENTS = {
    "1fec8e78-bce4-4aaf-ab1b-5451cc387264": "Teams on desktop and phones",
    "5e3ce6c0-2b1f-4285-8d4b-75ee78787346": "Teams on the web",
}
SCOPE = "access_as_user"
_AUDIENCES = {"SingleTenant": "AzureADMyOrg", "MultiTenant": "AzureADMultipleOrgs"}
_WANTED = (*SIGN_IN, *NOTIFY, *MEETINGS, *TEXT)
_NOT_TOLD = (
    "Entra doesn't tell Herald how it is registered: tenancy, redirect addresses, scope, Teams' "
    "clients and permissions."
)
_BY_HAND = (
    "Compare the pages with docs/register.md, or, as an Entra administrator, run "
    "az ad app show --id {} > app.json and then python -m bot doctor --application app.json."
)
_CONSENT_BY_HAND = (
    "Under API permissions see that there is a green tick (Granted) beside {}; if not, press Grant "
    "admin consent."
)


class NotAnApplication(ValueError):
    """The file holds no application as `az ad app show` writes it."""


def read(path: Path) -> dict[str, Any]:
    """An application from a file. Raises NotAnApplication, OSError."""
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except ValueError:
        raise NotAnApplication from None
    if not isinstance(found, dict) or "appId" not in found:
        raise NotAnApplication
    return found


async def check(case: Case) -> AsyncIterator[Finding]:
    """Each page of the application, where somebody tells; then what was consented to."""
    if case.application is None:
        case.application = await _from_graph(case, f"applications(appId='{_id(case)}')")
    if case.application is None:
        yield unsure(_NOT_TOLD, _BY_HAND.format(_id(case)))
    elif str(case.application.get("appId", "")).lower() != _id(case):
        yield wrong(
            "app.json is of another application than MICROSOFT_APP_ID.",
            f"Make it anew: az ad app show --id {_id(case)} > app.json.",
        )
    else:
        for page in _PAGES:
            for finding in page(case, case.application):
                yield finding
        async for finding in _permissions(case, case.application):
            yield finding
    async for finding in _consent(case):
        yield finding


def _audience(case: Case, application: dict[str, Any]) -> Iterator[Finding]:
    wanted = _AUDIENCES[case.settings.microsoft_app_type]
    if application.get("signInAudience") == wanted:
        yield well(f"The application is {case.settings.microsoft_app_type}, as the settings say.")
    else:
        yield wrong(
            f"MICROSOFT_APP_TYPE is {case.settings.microsoft_app_type}, but the application's "
            f"account type is {application.get('signInAudience')}.",
            "Under Authentication choose accounts in this organizational directory only, or "
            "correct MICROSOFT_APP_TYPE.",
        )


def _redirects(case: Case, application: dict[str, Any]) -> Iterator[Finding]:
    known = _at(application, "web", "redirectUris") or []
    for path in ("/auth/end", "/auth/approved"):
        address = case.settings.public_url + path
        if address in known:
            yield well(f"{address} is a redirect address.")
        else:
            yield wrong(
                f"{address} is no redirect address of the application.",
                "Under Authentication add it to the platform Web.",
            )


def _exposed(case: Case, application: dict[str, Any]) -> Iterator[Finding]:
    address = case.settings.sso_resource
    if address not in (application.get("identifierUris") or []):
        yield wrong(
            f"The application lacks the address {address}.",
            f"Under Expose an API set the Application ID URI to exactly {address}.",
        )
    if _at(application, "api", "requestedAccessTokenVersion") != 2:
        yield wrong(
            "The application's tokens are of version 1.",
            "Under Manifest set requestedAccessTokenVersion, inside api, to 2.",
        )
    if _scope_id(application):
        yield well(f"The scope {SCOPE} is there and enabled.")
    else:
        yield wrong(
            f"The application has no enabled scope {SCOPE}.",
            f"Under Expose an API add the scope {SCOPE}; admins and users may consent.",
        )


def _clients(_case: Case, application: dict[str, Any]) -> Iterator[Finding]:
    scope = _scope_id(application)
    allowed = {
        row.get("appId")
        for row in _at(application, "api", "preAuthorizedApplications") or []
        if scope and scope in (row.get("delegatedPermissionIds") or row.get("permissionIds") or [])
    }
    for client, name in TEAMS_CLIENTS.items():
        if client in allowed:
            yield well(f"{name} is authorized beforehand.")
        else:
            yield wrong(
                f"{name} is not authorized beforehand, so everybody there has to sign in by hand.",
                f"Under Expose an API add the client application {client} with the scope ticked.",
            )


_PAGES: tuple[Callable[[Case, dict[str, Any]], Iterator[Finding]], ...] = (
    _audience,
    _redirects,
    _exposed,
    _clients,
)


async def _permissions(case: Case, application: dict[str, Any]) -> AsyncIterator[Finding]:
    listed = {
        row.get("id")
        for resource in application.get("requiredResourceAccess") or []
        if resource.get("resourceAppId") == GRAPH_APP_ID
        for row in resource.get("resourceAccess") or []
        if row.get("type") == "Scope"
    }
    graph = await _from_graph(case, f"servicePrincipals(appId='{GRAPH_APP_ID}')")
    if graph is None:
        if len(listed) >= len(_WANTED):
            yield unsure(
                f"{len(listed)} delegated Graph permissions are listed, by numbers alone.",
                "Compare their names under API permissions with docs/register.md.",
            )
        else:
            yield wrong(
                f"{len(listed)} delegated Graph permissions are listed; Herald needs "
                f"{len(_WANTED)}.",
                "Under API permissions add those of docs/register.md.",
            )
        return
    names = {
        row.get("value")
        for row in graph.get("oauth2PermissionScopes") or []
        if row.get("id") in listed
    }
    lacking = [name for name in _WANTED if name not in names]
    if lacking:
        yield wrong(
            f"These delegated Graph permissions are not listed: {', '.join(lacking)}.",
            "Under API permissions add them, as Delegated permissions of Microsoft Graph.",
        )
    else:
        yield well("All delegated Graph permissions are listed.")


async def _consent(case: Case) -> AsyncIterator[Finding]:
    names = ", ".join(sorted(ADMIN_ONLY))
    found = await _from_graph(
        case, f"servicePrincipals(appId='{_id(case)}')/oauth2PermissionGrants"
    )
    if found is None:
        sent_on = await _last_text(case)
        if sent_on:
            yield well(f"Graph took a text on {sent_on}, so {names} was approved then.")
            return
        yield unsure(
            f"Entra doesn't tell Herald whether an administrator approved {names}.",
            _CONSENT_BY_HAND.format(names),
        )
        return
    granted = {
        name
        for grant in found.get("value") or []
        if grant.get("consentType") == "AllPrincipals"
        for name in str(grant.get("scope") or "").split()
    }
    if granted >= ADMIN_ONLY:
        yield well(f"An administrator approved {names} for everybody.")
    else:
        yield wrong(
            f"No administrator has approved {names}, so nobody can send texts.",
            "Under API permissions press Grant admin consent.",
        )


async def _last_text(case: Case) -> str:
    """The day on which the newest text that Graph took was asked for; empty for none."""
    try:
        async with opened(case.settings) as deliveries:
            found = await deliveries.listed(Wanted((State.ACCEPTED,), (Kind.TEXT,), most=1))
    except HeraldError:
        return ""  # the database's own checks said why
    return str(found[0]["created_at"]).partition("T")[0] if found else ""


async def _from_graph(case: Case, path: str) -> dict[str, Any] | None:
    if not case.app_token:
        return None
    try:
        reply: Reply = await case.ask(
            "GET",
            f"{case.settings.graph_url}/v1.0/{path}",
            headers={"Authorization": f"Bearer {case.app_token}"},
        )
    except Unreachable:
        return None
    return reply.body if reply.status == 200 and isinstance(reply.body, dict) else None


def _scope_id(application: dict[str, Any]) -> str:
    for row in _at(application, "api", "oauth2PermissionScopes") or []:
        if row.get("value") == SCOPE and row.get("isEnabled"):
            return str(row.get("id") or "")
    return ""


def _at(found: Any, *path: str) -> Any:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _id(case: Case) -> str:
    return case.settings.microsoft_app_id
