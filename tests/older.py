"""What versions of Herald before this one wrote."""

import base64
import json
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def unbound(value: Any, secret: str, purpose: str) -> bytes:
    """A record sealed before records were bound to their rows."""
    kdf = HKDF(hashes.SHA256(), 32, salt=None, info=f"herald/{purpose}".encode())
    key = base64.urlsafe_b64encode(kdf.derive(secret.encode()))
    return Fernet(key).encrypt(json.dumps(value).encode())
