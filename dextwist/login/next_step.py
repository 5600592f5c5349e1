"""Where a login goes next: decided here, and only here, by a pure function over what is known of it."""

from __future__ import annotations

import attrs

from dextwist.oauth.errors import OAuthError
from dextwist.oauth.prompt import NONE


@attrs.frozen(kw_only=True)
class LoginFacts:
    """What decides. Everything that a browser could make up has been checked before."""

    #: canonical.
    prompt: str = ""
    #: the connectors through which this person may log in for this client.
    connector_ids: tuple[str, ...] = ()
    #: the one that was chosen, or empty.
    connector_id: str = ""
    #: offer the choice even where there is none.
    always_choose: bool = False
    logged_in: bool = False
    #: who logged in, as `sub`, and who should have, or empty.
    subject: str = ""
    hinted_subject: str = ""
    #: the second factors still to be passed, in order.
    second_factors: tuple[str, ...] = ()
    #: consent was given for all that is asked, or is not needed.
    consented: bool = False


@attrs.frozen
class ChooseConnector:
    """Show the connectors."""

    connector_ids: tuple[str, ...]


@attrs.frozen
class Authenticate:
    """Let the connector find out who this is."""

    connector_id: str


@attrs.frozen
class SecondFactor:
    """Ask for this second factor."""

    authenticator_id: str


@attrs.frozen
class Consent:
    """Ask the person whether the client may have what it asks for."""


@attrs.frozen
class Respond:
    """Give the client what it asked for."""


@attrs.frozen
class Refuse:
    """Tell the client that it does not get it."""

    error: OAuthError


Step = ChooseConnector | Authenticate | SecondFactor | Consent | Respond | Refuse


def next_step(facts: LoginFacts) -> Step:
    """The next step of a login (OpenID Connect Core §3.1.2.3 and §3.1.2.4)."""
    silent = facts.prompt == NONE
    if not facts.logged_in:
        if silent:
            return Refuse(OAuthError("login_required", "nobody is logged in"))
        if facts.connector_id:
            return Authenticate(facts.connector_id)
        if len(facts.connector_ids) == 1 and not facts.always_choose:
            return Authenticate(facts.connector_ids[0])
        return ChooseConnector(facts.connector_ids)
    if facts.hinted_subject and facts.subject != facts.hinted_subject:
        return Refuse(OAuthError("login_required", "somebody else than id_token_hint names logged in"))
    if facts.second_factors:
        if silent:
            return Refuse(OAuthError("interaction_required", "a second factor is required"))
        return SecondFactor(facts.second_factors[0])
    if not facts.consented:
        if silent:
            return Refuse(OAuthError("consent_required", "consent has not been given"))
        return Consent()
    return Respond()
