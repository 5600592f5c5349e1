"""What binds a callback to its login: a code verifier (RFC 7636) and a nonce (OIDC Core §3.1.2.1)."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping

import attrs

from dextwist.connectors.interface import ConnectorError
from dextwist.jose.base64url import encoded

#: The methods of RFC 7636 §4.2.
S256, PLAIN = "S256", "plain"


@attrs.frozen(kw_only=True)
class LoginProof:
    """Secrets of one login, kept on the auth request until the browser comes back."""

    code_verifier: str = attrs.field(factory=lambda: secrets.token_urlsafe(32), repr=False)
    nonce: str = attrs.field(factory=lambda: secrets.token_urlsafe(16), repr=False)
    code_challenge_method: str = S256

    @classmethod
    def new(cls, code_challenge_method: str) -> LoginProof:
        """Of a new login; without a method it has a nonce alone."""
        if code_challenge_method:
            return cls(code_challenge_method=code_challenge_method)
        return cls(code_verifier="", code_challenge_method="")

    @property
    def challenge(self) -> Mapping[str, str]:
        """The parameters of the authorization request; the nonce is not among them."""
        if not self.code_challenge_method:
            return {}
        code_challenge = self.code_verifier
        if self.code_challenge_method == S256:
            digest = hashlib.sha256(self.code_verifier.encode("ascii")).digest()
            code_challenge = encoded(digest).decode("ascii")
        return {"code_challenge": code_challenge, "code_challenge_method": self.code_challenge_method}

    @property
    def connector_data(self) -> bytes:
        """What is kept."""
        kept = {
            # dex calls the verifier a challenge.
            "codeChallenge": self.code_verifier,
            "codeChallengeMethod": self.code_challenge_method,
            "nonce": self.nonce,
        }
        return json.dumps(kept).encode("ascii")

    @classmethod
    def of(cls, connector_data: bytes) -> LoginProof:
        """What was kept. Raises ConnectorError where it is none of this."""
        try:
            kept = json.loads(connector_data)
            proof = cls(
                code_verifier=kept["codeChallenge"],
                nonce=kept["nonce"],
                code_challenge_method=kept["codeChallengeMethod"],
            )
            good = proof.nonce and bool(proof.code_verifier) == bool(proof.code_challenge_method)
        except (ValueError, KeyError, TypeError):
            good = False
        if not good or not all(isinstance(each, str) for each in attrs.astuple(proof)):
            raise ConnectorError("the login kept no proof of itself")
        return proof
