"""What the Graph stand-in tells an application about itself, with a token of its own.

Source: Graph's pages "Get application", "Get servicePrincipal" and "List oauth2PermissionGrants of
a servicePrincipal". Without the application permission each answers 403.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sandbox.entra_permissions import PERMISSIONS
from sandbox.graph_answers import Answer, Refusal, forbidden
from sandbox.registration import GRAPH_APP_ID, Registration, permission_id
from sandbox.world import World

_PATH = re.compile(
    r"/v1\.0/(?P<kind>applications|servicePrincipals)\(appId='(?P<id>[^']+)'\)"
    r"(?P<grants>/oauth2PermissionGrants)?"
)
_NEEDED = {
    "applications": {"Application.Read.All", "Directory.Read.All"},
    "servicePrincipals": {"Application.Read.All", "Directory.Read.All"},
    "grants": {"Directory.Read.All"},
}


def answer(
    path: str, claims: Mapping[str, Any], registration: Registration, world: World
) -> Answer | None:
    """The answer to an application's own token; None where the path is of another kind."""
    found = _PATH.fullmatch(unquote(path))
    if found is None:
        return None
    kind = "grants" if found["grants"] else found["kind"]
    if not set(claims.get("roles", ())) & _NEEDED[kind]:
        raise forbidden(
            "Insufficient privileges to complete the operation.", "Authorization_RequestDenied"
        )
    if kind == "grants":
        return Answer(200, {"value": _grants(world)})
    if found["id"] == GRAPH_APP_ID and kind == "servicePrincipals":
        return Answer(200, _graph_itself())
    if found["id"] != registration.app_id:
        raise Refusal(404, "Request_ResourceNotFound", "The resource does not exist.")
    return Answer(200, registration.document)


def _grants(world: World) -> list[dict[str, Any]]:
    everyone = {"consentType": "AllPrincipals", "scope": _words(world.tenant_consents)}
    each = (
        {"consentType": "Principal", "principalId": one.id, "scope": _words(one.consents)}
        for one in world.people.values()
        if one.consents
    )
    return [everyone, *each]


def _words(names: set[str]) -> str:
    return " ".join(sorted(names))


def _graph_itself() -> dict[str, Any]:
    scopes = [{"id": permission_id(name), "value": name} for name in sorted(PERMISSIONS)]
    return {"appId": GRAPH_APP_ID, "oauth2PermissionScopes": scopes}
