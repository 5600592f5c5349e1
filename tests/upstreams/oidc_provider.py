"""A fake OpenID provider: honest unless it is told otherwise, in its document, its keys and what it signs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from twisted.internet.interfaces import IReactorTime

from tests.upstreams.oauth import FakeOAuth, Granted
from tests.upstreams.served import Answer, Call, main

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"


def new_key(kid: str | None = "key-1", algorithm: str = "RS256", kty: str = "RSA", **how: Any) -> JWK:
    """A key of that name."""
    named = {} if kid is None else {"kid": kid}
    made = how or {"size": 2048}
    return JWK.generate(kty=kty, use="sig", alg=algorithm, **named, **made)


def signed(payload: Any, key: JWK, **header: Any) -> str:
    """A compact JWS of the payload as JSON; `header` is laid over the key's own, None removes a member."""
    published = json.loads(key.export_public()) if key.has_public else {}
    members = {"typ": "JWT", "alg": published.get("alg"), "kid": published.get("kid"), **header}
    protected = {name: value for name, value in members.items() if value is not None}
    token = JWS(json.dumps(payload).encode())
    # Each of the algorithms: a fake may well do what nobody should.
    token.allowed_algs = [
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "EdDSA",
        "HS256",
    ]
    token.add_signature(key, protected=json.dumps(protected))
    return str(token.serialize(compact=True))


@attrs.define(kw_only=True, eq=False)
class FakeProvider(FakeOAuth):
    """A provider. All that is public may be changed at any time."""

    clock: IReactorTime
    client_id: str = "clientID"
    #: the newest signs.
    keys: list[JWK] = attrs.field(factory=lambda: [new_key()])
    person: dict[str, Any] = attrs.field(
        factory=lambda: {
            "sub": "subvalue",
            "name": "namevalue",
            "email": "emailvalue",
            "email_verified": True,
        }
    )
    #: laid over the document, the claims of ID tokens and the userinfo; None removes a member.
    document: dict[str, Any] = attrs.field(factory=dict)
    id_token: dict[str, Any] = attrs.field(factory=dict)
    userinfo_answer: dict[str, Any] = attrs.field(factory=dict)
    #: that ID tokens say no more of a person than their subject.
    thin: bool = False
    id_token_on_refresh: bool = True
    #: what makes an ID token of its claims; None: the newest key.
    sign: Callable[[dict[str, Any]], Any] | None = None

    def routes(self) -> Mapping[str, Callable[[Call], Answer]]:
        return {**super().routes(), DISCOVERY: self.discovery, KEYS: self.published}

    def configuration(self) -> Sequence[str]:
        return (
            f"issuer: {self.url}",
            f"clientID: {self.client_id}",
            f"clientSecret: {self.client_secret}",
        )

    def signed(self, payload: Any, **header: Any) -> str:
        """Signed by the newest key."""
        return signed(payload, self.keys[-1], **header)

    def claims(self, person: Mapping[str, Any], nonce: str | None = None) -> dict[str, Any]:
        """What an ID token about this person says."""
        now = int(self.clock.seconds())
        about = {"sub": person.get("sub")} if self.thin else person
        usual = {"iss": self.url, "aud": self.client_id, "iat": now, "exp": now + 3600, "nonce": nonce}
        return present({**usual, **about, **self.id_token})

    def discovery(self, call: Call) -> Answer:
        usual = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}{self.authorize_path}",
            "token_endpoint": f"{self.url}{self.token_path}",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}{KEYS}",
            "end_session_endpoint": f"{self.url}/logout",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA", "PS256"],
            "code_challenge_methods_supported": ["S256", "plain"],
        }
        return Answer.json(present({**usual, **self.document}))

    def published(self, call: Call) -> Answer:
        return Answer.json({"keys": [json.loads(key.export_public()) for key in self.keys]})

    def tokens(self, granted: Granted, *, refresh: bool) -> dict[str, Any]:
        answer = super().tokens(granted, refresh=refresh)
        claims = self.claims(granted.person, granted.asked.get("nonce"))
        sign = self.sign or self.signed
        return {"id_token": sign(claims), **answer}

    def token(self, call: Call) -> Answer:
        answer = super().token(call)
        if self.id_token_on_refresh or call.form.get("grant_type") != "refresh_token":
            return answer
        content = json.loads(answer.body)
        content.pop("id_token", None)
        return Answer.json(content, answer.status)

    def userinfo(self, call: Call) -> Answer:
        answer = super().userinfo(call)
        if answer.status != 200:
            return answer
        return Answer.json(present({**json.loads(answer.body), **self.userinfo_answer}))


def present(members: dict[str, Any]) -> dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def _run() -> None:
    from twisted.internet import reactor

    main(FakeProvider(clock=reactor), __doc__)


if __name__ == "__main__":
    _run()
