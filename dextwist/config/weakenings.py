"""Settings that are less safe than the default: each is named when the server starts."""

from __future__ import annotations

from dextwist.config.remarks import Remark
from dextwist.oauth.response_types import RESPONSE_TYPES

_IN_FRONT = tuple(words for words in RESPONSE_TYPES if words != "code")

WEAKENINGS = (
    Remark(
        "oauth2.pkce.codeChallengeMethodsSupported[*]",
        "less safe: plain lets whoever sees the authorization request redeem its code",
        values=("plain",),
    ),
    Remark(
        "oauth2.pkce.requiredForPublicClients",
        "less safe: whoever sees a public client's code can redeem it",
        values=(False,),
    ),
    Remark(
        "oauth2.introspection.allowAnonymous",
        "less safe: whoever has a token can ask about it without being a client",
        values=(True,),
    ),
    Remark(
        "oauth2.responseTypes[*]",
        "less safe: {value} sends tokens through the browser's address bar",
        values=_IN_FRONT,
    ),
    Remark("oauth2.passwordConnector", "less safe: clients get to see the passwords of their users"),
    Remark(
        "connectors[*].config.insecureSkipVerify",
        "less safe: insecureSkipVerify believes whoever answers in the upstream's place",
        values=(True,),
    ),
    Remark(
        "connectors[*].config.insecureAllowHTTP",
        "less safe: whoever is on the way can answer in the upstream's place",
        values=(True,),
    ),
    Remark(
        "connectors[*].config.insecureSkipEmailVerified",
        "less safe: addresses count as verified where the upstream does not say so",
        values=(True,),
    ),
    Remark(
        "connectors[*].config.providerDiscoveryOverrides",
        "less safe: what the provider says of its own addresses is not believed",
    ),
    Remark(
        "connectors[*].config.tokenExchangeAudiences[*]",
        "less safe: tokens that the upstream made for any other application are exchanged",
        values=("*",),
    ),
    Remark(
        "connectors[*].type",
        "less safe: {value} is for development, it lets in people who do not exist",
        values=("mockCallback", "mockPassword"),
    ),
)
