"""How an application proves who it is: a secret, or an assertion signed with its certificate."""

import hmac
from collections.abc import Mapping

import jwt
from cryptography import x509

from sandbox import entra_refusals as refusals
from sandbox.world import World

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Clients:
    """The one registered application, its secret and its certificates."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.secret_has_expired = False
        self._certificates: list[x509.Certificate] = []

    def register_certificate(self, pem: bytes) -> None:
        """Accept client assertions signed with this certificate's key."""
        self._certificates.append(x509.load_pem_x509_certificate(pem))

    def check(self, form: Mapping[str, str], token_endpoint: str) -> None:
        """Raise `Refused` unless the form is from the registered application."""
        if form.get("client_id", "").lower() != self._world.app_id:
            raise refusals.unknown_client()
        if "client_assertion" in form:
            self._check_assertion(form, token_endpoint)
        elif "client_secret" in form:
            given, known = form["client_secret"].encode(), self._world.app_secret.encode()
            if not hmac.compare_digest(given, known):
                raise refusals.bad_client(7000215, "Invalid client secret provided.")
            if self.secret_has_expired:
                raise refusals.bad_client(7000222, "The provided client secret keys are expired.")
        else:
            raise refusals.bad_client(7000218, "The request body must contain 'client_secret'.")

    def _check_assertion(self, form: Mapping[str, str], token_endpoint: str) -> None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise refusals.bad_client(50027, "The assertion's type is not supported.")
        for certificate in self._certificates:
            claims = _claims(form["client_assertion"], certificate)
            if claims is not None:
                self._check_claims(claims, token_endpoint)
                return
        raise refusals.bad_client(700027, "The certificate with this key is not registered.")

    def _check_claims(self, claims: Mapping[str, object], token_endpoint: str) -> None:
        now = self._world.now().timestamp()
        expires = claims.get("exp")
        if claims.get("aud") != token_endpoint:
            raise refusals.bad_client(700023, "The assertion's audience is not this endpoint.")
        if not claims.get("iss") == claims.get("sub") == self._world.app_id:
            raise refusals.bad_client(700021, "The assertion's issuer is not the application.")
        if not isinstance(expires, int | float) or expires <= now:
            raise refusals.bad_client(700024, "The assertion is not within its valid time range.")


def _claims(assertion: str, certificate: x509.Certificate) -> dict[str, object] | None:
    options = {"verify_exp": False, "verify_aud": False, "verify_nbf": False, "verify_iat": False}
    try:
        claims: dict[str, object] = jwt.decode(
            assertion,
            certificate.public_key(),  # type: ignore[arg-type]
            algorithms=["RS256", "PS256"],
            options=options,  # type: ignore[arg-type]
        )
    except jwt.PyJWTError:
        return None
    return claims
