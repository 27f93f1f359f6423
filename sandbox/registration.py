"""The application as it is registered in Entra: the document that the portal's pages edit.

Source: Graph's resource `application`. A test breaks a line of it to see who notices.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sandbox.entra_permissions import PERMISSIONS

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
TEAMS_CLIENTS = ("1fec8e78-bce4-4aaf-ab1b-5451cc387264", "5e3ce6c0-2b1f-4285-8d4b-75ee78787346")
_SCOPE_ID = "4f0c2a6e-8f57-4d0b-9d3e-5a0b1f7c2d10"
_ASKED_FOR = (
    "openid",
    "profile",
    "offline_access",
    "TeamsActivity.Send",
    "TeamsAppInstallation.ReadForUser",
    "User.ReadBasic.All",
    "OnlineMeetings.Read",
    "Calendars.Read",
    "VirtualAppointmentNotification.Send",
)


@dataclass
class Registration:
    """One registered application.

    `document` is Graph's `application`; `roles` are the application permissions it was granted,
    none of which the product asks for.
    """

    app_id: str
    document: dict[str, Any] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)

    def register(self, public_url: str) -> None:
        """Fill in every page of the portal as docs/register.md says, for this address."""
        self.document = {
            "appId": self.app_id,
            "displayName": "Herald",
            "signInAudience": "AzureADMyOrg",
            "identifierUris": [f"api://{urlsplit(public_url).netloc}/botid-{self.app_id}"],
            "web": {"redirectUris": [f"{public_url}/auth/end", f"{public_url}/auth/approved"]},
            "api": {
                "requestedAccessTokenVersion": 2,
                "oauth2PermissionScopes": [
                    {
                        "id": _SCOPE_ID,
                        "value": "access_as_user",
                        "type": "User",
                        "isEnabled": True,
                    }
                ],
                "preAuthorizedApplications": [
                    {"appId": client, "delegatedPermissionIds": [_SCOPE_ID]}
                    for client in TEAMS_CLIENTS
                ],
            },
            "requiredResourceAccess": [
                {
                    "resourceAppId": GRAPH_APP_ID,
                    "resourceAccess": [
                        {"id": permission_id(name), "type": "Scope"} for name in _ASKED_FOR
                    ],
                }
            ],
        }

    def serves(self, resource: str) -> bool:
        """Whether this is one of the application's own addresses (`api://…`)."""
        return resource in self.document.get("identifierUris", ())

    def audience(self, resource: str) -> dict[str, str]:
        """What a token for this address says of audience and version."""
        version = self.document.get("api", {}).get("requestedAccessTokenVersion") or 1
        return {"aud": self.app_id if version == 2 else resource, "ver": f"{version}.0"}


def permission_id(name: str) -> str:
    """The id of a delegated permission of Graph's; the stand-in's own, not Microsoft's."""
    return f"5c0de000-0000-4000-8000-{sorted(PERMISSIONS).index(name):012d}"
