"""What the Entra stand-in says no with: the shapes and numbers of Entra's own errors.

Source: "Microsoft Entra authentication and authorization error codes".
"""

import uuid
from datetime import datetime
from typing import Any


class Refused(Exception):
    """One refusal: the OAuth `error`, Entra's number, the HTTP status, and perhaps a `suberror`
    and the `claims` that a sign-in has to carry."""

    def __init__(
        self,
        error: str,
        code: int,
        detail: str,
        *,
        status: int = 400,
        suberror: str = "",
        claims: str = "",
    ) -> None:
        super().__init__(f"AADSTS{code}: {detail}")
        self.error = error
        self.code = code
        self.status = status
        self.suberror = suberror
        self.claims = claims

    def body(self, now: datetime, correlation_id: str = "") -> dict[str, Any]:
        """The JSON that Entra's token endpoint answers with."""
        trace_id, correlation_id = str(uuid.uuid4()), correlation_id or str(uuid.uuid4())
        stamp = f"{now:%Y-%m-%d %H:%M:%SZ}"
        body = {
            "error": self.error,
            "error_description": f"{self} Trace ID: {trace_id} Correlation ID: {correlation_id} "
            f"Timestamp: {stamp}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        more = {"suberror": self.suberror, "claims": self.claims}
        return body | {name: value for name, value in more.items() if value}


def unknown_tenant(tenant: str) -> Refused:
    """AADSTS90002."""
    return Refused("invalid_request", 90002, f"Tenant '{tenant[:64]}' not found.")


def unknown_client() -> Refused:
    """AADSTS700016."""
    return Refused("unauthorized_client", 700016, "The application was not found in the directory.")


def missing(field: str) -> Refused:
    """AADSTS900144."""
    return Refused("invalid_request", 900144, f"The request body must contain '{field}'.")


def bad_client(code: int, detail: str) -> Refused:
    """`invalid_client`: the application did not prove who it is."""
    return Refused("invalid_client", code, detail, status=401)


def bad_scope(scope: str) -> Refused:
    """AADSTS70011."""
    return Refused("invalid_scope", 70011, f"The scope '{scope[:128]}' is not valid.")


def unknown_resource(resource: str) -> Refused:
    """AADSTS500011."""
    detail = f"The resource principal named {resource[:128]} was not found in the tenant."
    return Refused("invalid_resource", 500011, detail)


def bad_grant(code: int, detail: str, *, suberror: str = "bad_token") -> Refused:
    """`invalid_grant`: the code, assertion or refresh token is no good."""
    return Refused("invalid_grant", code, detail, suberror=suberror)


def no_consent(names: list[str]) -> Refused:
    """AADSTS65001."""
    return bad_grant(
        65001,
        "The user or administrator has not consented to use the application named 'Herald' for "
        f"{', '.join(names)}. Send an interactive authorization request.",
        suberror="consent_required",
    )
