"""Proof Key for Code Exchange (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from dextwist.model.claims import ProofKey
from dextwist.oauth.errors import OAuthError

S256, PLAIN = "S256", "plain"
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def check_verifier(verifier: str, proof_key: ProofKey) -> None:
    """Return where the verifier answers the challenge (RFC 7636 §4.6).

    Raises OAuthError: invalid_grant where it is missing, wrong or not of the form of §4.1,
    invalid_request where it is there without a challenge, server_error where the stored method is unknown.
    """
    challenge = proof_key.code_challenge
    if not challenge:
        if verifier:
            raise OAuthError("invalid_request", "code_verifier without a code_challenge")
        return
    if not verifier:
        raise OAuthError("invalid_grant", "code_verifier is missing")
    if proof_key.code_challenge_method == S256:
        digest = hashlib.sha256(verifier.encode()).digest()
        computed = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
    elif proof_key.code_challenge_method in (PLAIN, ""):
        computed = verifier
    else:
        raise OAuthError("server_error", "the stored code_challenge_method is unknown", status=500)
    if not hmac.compare_digest(computed.encode(), challenge.encode()):
        raise OAuthError("invalid_grant", "code_verifier is wrong")
    if not _VERIFIER.fullmatch(verifier):
        raise OAuthError("invalid_grant", "code_verifier has not 43 to 128 of the allowed characters")
