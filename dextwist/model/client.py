"""OAuth clients: the applications that ask for tokens (RFC 6749 §2)."""

from __future__ import annotations

import attrs

from dextwist.model.keys import JWKDict
from dextwist.model.kind import Kind


@attrs.frozen(kw_only=True)
class Client:
    """A registered client. For the two optional lists None and empty mean different things."""

    id: str
    secret: str = attrs.field(default="", repr=False)
    name: str = ""
    public: bool = False
    logo_url: str = ""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str = ""
    #: "", "standalone" or "session": whether refresh tokens end with the browser session.
    refresh_token_lifetime: str = ""
    #: clients that may ask for tokens with this client in the audience.
    trusted_peers: tuple[str, ...] = ()
    #: empty: every connector.
    allowed_connectors: tuple[str, ...] = ()
    #: None: the server's default chain; empty: no second factor.
    mfa_chain: tuple[str, ...] | None = None
    #: None: the server's default policy; empty: shared with nobody.
    sso_shared_with: tuple[str, ...] | None = None
    #: the `groups` of tokens from the client credentials grant; None: no such claim.
    client_credentials_groups: tuple[str, ...] | None = None
    #: public keys with which the client signs assertions that say who it is (RFC 7523).
    jwks: tuple[JWKDict, ...] = ()


CLIENTS: Kind[Client] = Kind(name="client", model=Client, key=lambda client: client.id)
