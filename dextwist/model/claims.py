"""What is known of a person, and the proof key of a request: parts of larger stored values."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Claims:
    """What a connector said about a person."""

    user_id: str = ""
    username: str = ""
    preferred_username: str = ""
    email: str = ""
    email_verified: bool = False
    groups: tuple[str, ...] = ()
    #: where rules made these claims: what the connector itself said, for its next refresh. In no token.
    unmapped: Claims | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class ProofKey:
    """The code challenge of a request (RFC 7636 §4.3); empty without PKCE."""

    code_challenge: str = ""
    code_challenge_method: str = ""
