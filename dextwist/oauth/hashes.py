"""The hashes by which an ID token names what was issued beside it: `at_hash` and `c_hash`."""

from __future__ import annotations

import base64
import hashlib

_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


def half_hash(algorithm: str, value: str) -> str:
    """The left half of the value's hash, in base64url (OpenID Connect Core §3.1.3.6).

    `algorithm` is the JOSE name of the ID token's own: RS256, ES384, EdDSA. Raises ValueError for others.
    """
    # Ed25519, our EdDSA, hashes with SHA-512 inside (RFC 8032 §5.1).
    make = hashlib.sha512 if algorithm == "EdDSA" else _HASHES.get(algorithm[-3:])
    if make is None:
        raise ValueError(f"{algorithm} has no hash")
    digest = make(value.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")
