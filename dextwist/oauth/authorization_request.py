"""The authorization request as it arrived on the wire (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1)."""

from __future__ import annotations

import attrs

from dextwist.oauth.parameters import Form, MalformedForm


@attrs.frozen(kw_only=True)
class AuthorizationRequest:
    """The parameters that mean something here, undecoded beyond their text; absent ones are empty."""

    client_id: str
    redirect_uri: str
    response_type: str
    scope: str
    state: str
    nonce: str
    response_mode: str
    connector_id: str
    code_challenge: str
    code_challenge_method: str
    prompt: str
    approval_prompt: str
    max_age: str
    id_token_hint: str
    login_hint: str
    request: str
    request_uri: str

    @classmethod
    def from_form(cls, form: Form) -> AuthorizationRequest:
        """Read the parameters. Raises MalformedForm where one of them is repeated or holds a NUL."""
        read = {field.name: form.get(field.name) for field in attrs.fields(cls)}
        if any("\0" in value for value in read.values()):
            raise MalformedForm("a parameter holds a NUL")
        return cls(**read)
