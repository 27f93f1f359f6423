"""The tokens of the Entra stand-in: signed here, and checked here for those who take them."""

import base64
import json
import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from sandbox.entra_permissions import GRAPH, OPENID_SCOPES
from sandbox.world import Person, World

CLOCK_SKEW_S = 300  # what Microsoft's own validators allow


class BadToken(Exception):
    """The token is not one of ours, not for this audience, or no longer valid.

    `reason` is one of `signature`, `issuer`, `audience`, `expired`, `malformed`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    # One key for all stand-ins of a process: making one costs more than most tests.
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Tokens:
    """Signs and checks RS256 tokens in the name of `https://localhost:<port>/<tenant>/v2.0`.

    `life_s` is how long access tokens live; Entra gives 60 to 90 minutes, and the tenant's policy
    of `Faults.short_tokens` half an hour.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.url = ""
        self.life_s = 4500
        self.key_id = "sandbox-entra-1"

    def keys(self) -> dict[str, Any]:
        """The public key, as `/discovery/v2.0/keys` serves it."""
        key = json.loads(RSAAlgorithm.to_jwk(_signing_key().public_key()))
        return {"keys": [key | {"kid": self.key_id, "use": "sig", "alg": "RS256"}]}

    def issuer(self, tenant_id: str) -> str:
        """The `iss` of tokens of this tenant."""
        return f"{self.url}/{tenant_id}/v2.0"

    @property
    def access_life_s(self) -> int:
        """Seconds that an access token signed now will live."""
        return 1800 if self.world.faults.short_tokens else self.life_s

    def sign(self, claims: Mapping[str, Any], *, life_s: int | None = None) -> str:
        """Sign these claims, adding times, `uti` and issuer (from `tid`) where they are missing."""
        now = int(self.world.now().timestamp())
        life = self.access_life_s if life_s is None else life_s
        full = {
            "iss": self.issuer(str(claims.get("tid", ""))),
            "iat": now,
            "nbf": now,
            "exp": now + life,
            "uti": uuid.uuid4().hex,
        } | dict(claims)
        return jwt.encode(full, _signing_key(), algorithm="RS256", headers={"kid": self.key_id})

    def check(self, token: str, audience: str | Iterable[str]) -> dict[str, Any]:
        """The claims of a token of ours that is for this audience and still lives.

        Raises:
            BadToken: it is not.
        """
        claims = self._decode(token)
        allowed = {audience} if isinstance(audience, str) else set(audience)
        now = self.world.now().timestamp()
        if claims["iss"] != self.issuer(claims.get("tid", "")):
            raise BadToken("issuer")
        if claims["aud"] not in allowed:
            raise BadToken("audience")
        if claims["exp"] <= now - CLOCK_SKEW_S or claims.get("nbf", 0) > now + CLOCK_SKEW_S:
            raise BadToken("expired")
        return claims

    def _decode(self, token: str) -> dict[str, Any]:
        # Times are held against the world's clock, not the machine's: hence not by the library.
        options = {"require": ["exp", "iss", "aud"], "verify_aud": False, "verify_exp": False}
        options |= {"verify_nbf": False, "verify_iat": False}
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                _signing_key().public_key(),
                algorithms=["RS256"],
                options=options,  # type: ignore[arg-type]
            )
        except jwt.InvalidSignatureError:
            raise BadToken("signature") from None
        except jwt.PyJWTError:
            raise BadToken("malformed") from None
        return claims

    def sso_token(self, person: Person, **changes: Any) -> str:
        """What the Teams client gets for the app, in this person's name.

        `changes` replace claims; `life_s` among them is the token's life.
        """
        life_s = changes.pop("life_s", 4500)
        claims = self._person(person) | {
            "aud": self.world.app_id,
            "azp": TEAMS_CLIENT_ID,
            "azpacr": "0",
            "scp": "access_as_user",
        }
        return self.sign(claims | changes, life_s=life_s)

    def graph_token(self, person: Person, scopes: Iterable[str], **changes: Any) -> str:
        """A delegated access token for Graph with these permissions (short names)."""
        life_s = changes.pop("life_s", None)
        claims = self._person(person) | {
            "aud": GRAPH,
            "appid": self.world.app_id,
            "azp": self.world.app_id,
            "app_displayname": "Herald",
            "idtyp": "user",
            "scp": " ".join(sorted(set(scopes) - OPENID_SCOPES)),
        }
        return self.sign(claims | changes, life_s=life_s)

    def app_token(self, tenant_id: str, audience: str, **changes: Any) -> str:
        """An application's own token, as the client-credentials grant gives it."""
        life_s = changes.pop("life_s", None)
        claims = {
            "aud": audience,
            "appid": self.world.app_id,
            "azp": self.world.app_id,
            "idtyp": "app",
            "tid": tenant_id,
            "sub": self.world.app_id,
            "ver": "2.0",
        }
        return self.sign(claims | changes, life_s=life_s)

    def id_token(self, person: Person, nonce: str | None) -> str:
        """Who signed in, for the application; `nonce` as it came."""
        claims = self._person(person) | {"aud": self.world.app_id, "email": person.mail}
        return self.sign(claims | ({"nonce": nonce} if nonce else {}), life_s=3600)

    def _person(self, person: Person) -> dict[str, Any]:
        return {
            "oid": person.id,
            "sub": f"sub-{person.id}",
            "tid": person.tenant_id,
            "preferred_username": person.mail,
            "name": person.name,
            "ver": "2.0",
        }


TEAMS_CLIENT_ID = "1fec8e78-bce4-4aaf-ab1b-5451cc387264"  # Teams on desktops and phones


def client_info(person: Person) -> str:
    """What MSAL reads the account's home id from: base64url JSON of `uid` and `utid`."""
    value = json.dumps({"uid": person.id, "utid": person.tenant_id}).encode()
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
