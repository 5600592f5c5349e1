"""Who somebody is, made of the claims that the provider sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.oidc.groups import GroupRules
from dextwist.model.claims import Claims

_SPELLINGS = {"true": True, "false": False}


@attrs.frozen(kw_only=True)
class ClaimMapping:
    """Which claims say what."""

    user_id: str = "sub"
    username: str = "name"
    #: the claims that stand in for `preferred_username` and `email` where these are absent; empty: none.
    preferred_username: str = ""
    email: str = ""
    #: that they go before these even so.
    override: bool = False
    #: that a person must have an address, and the provider must say whether it is theirs.
    email_required: bool = True
    #: that where it does not say so, the address counts as verified.
    trust_unverified: bool = False
    groups: GroupRules = GroupRules()

    def user_id_in(self, said: Mapping[str, Any]) -> str:
        """The user id. Raises ConnectorError."""
        # Also where another claim is the id: an answer without a subject is about nobody.
        _required(said, "sub")
        return _required(said, self.user_id)

    def claims(self, said: Mapping[str, Any], known: Claims | None = None) -> Claims:
        """The person. `known` is who they were before: a provider may say less at a refresh.

        Raises LoginRefused where none of the person's groups is allowed, ConnectorError for claims that are
        missing or malformed.
        """
        user_id = self.user_id_in(said)
        if known is not None and said.get(self.username) is None:
            username = known.username
        else:
            username = _required(said, self.username)
        email = self._mapped(said, "email", self.email)
        if known is not None and not email:
            email, verified = known.email, known.email_verified
        else:
            verified = self._email_verified(said, known if known and known.email == email else None)
        if self.email_required and not email:
            raise ConnectorError("the claim email is missing")
        return Claims(
            user_id=user_id,
            username=username,
            preferred_username=self._mapped(said, "preferred_username", self.preferred_username),
            email=email,
            email_verified=verified,
            groups=self.groups.groups(said, user_id),
        )

    def _mapped(self, said: Mapping[str, Any], name: str, mapped: str) -> str:
        value = said.get(name)
        if mapped and (self.override or not isinstance(value, str)):
            value = said.get(mapped)
        return value if isinstance(value, str) else ""

    def _email_verified(self, said: Mapping[str, Any], known: Claims | None) -> bool:
        value = said.get("email_verified")
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _SPELLINGS:
            return _SPELLINGS[value.lower()]
        if value is None and known is not None:
            return known.email_verified
        if value is None and self.trust_unverified:
            return True
        # What is neither may be meant as a no.
        if self.email_required and not self.trust_unverified:
            raise ConnectorError("the claim email_verified is missing, or neither true nor false")
        return False


def _required(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise ConnectorError(f"the claim {name} is missing, empty or no text")
    return value
