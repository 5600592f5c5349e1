"""`staticClients`: the applications."""

from __future__ import annotations

import attrs

from dextwist.config.key_set import key_set
from dextwist.config.places import Place
from dextwist.config.reading import key, list_of, part, secret, section
from dextwist.config.values import boolean, environment_variable, text, texts
from dextwist.model.client import Client
from dextwist.model.keys import JWKDict


@attrs.frozen(kw_only=True)
class _Claims:
    groups: tuple[str, ...] | None = key("groups", texts, None)


@attrs.frozen(kw_only=True)
class _Entry:
    id: str = key("id", text, "")
    id_env: str = key("idEnv", environment_variable, "")
    secret: str = secret("secret", text)
    secret_env: str = key("secretEnv", environment_variable, "", shown=False)
    name: str = key("name", text, "", missing="Name field is required for a client")
    redirect_uris: tuple[str, ...] = key("redirectURIs", texts, ())
    post_logout_redirect_uris: tuple[str, ...] = key("postLogoutRedirectURIs", texts, ())
    backchannel_logout_uri: str = key("backchannelLogoutURI", text, "")
    refresh_token_lifetime: str = key("refreshTokenLifetime", text, "")
    trusted_peers: tuple[str, ...] = key("trustedPeers", texts, ())
    public: bool = key("public", boolean, False)
    logo_url: str = key("logoURL", text, "")
    allowed_connectors: tuple[str, ...] = key("allowedConnectors", texts, ())
    mfa_chain: tuple[str, ...] | None = key("mfaChain", texts, None)
    sso_shared_with: tuple[str, ...] | None = key("ssoSharedWith", texts, None)
    client_credentials_claims: _Claims = part("clientCredentialsClaims", _Claims)
    jwks: tuple[JWKDict, ...] = key("jwks", key_set, ())

    def check(self, place: Place) -> None:
        client_id = self.id or self.id_env
        if place.given("id") and place.given("idEnv"):
            place.refuse("idEnv", f'ID and IDEnv fields are exclusive for client "{client_id}"')
        elif not place.given("id") and not place.given("idEnv"):
            place.refuse("id", "ID or IDEnv field is required for a client")
        self._check_secret(place, client_id)
        if self.refresh_token_lifetime not in ("", "standalone", "session"):
            place.refuse(
                "refreshTokenLifetime",
                f'staticClients: client "{client_id}": invalid refresh token lifetime'
                f' "{self.refresh_token_lifetime}": want "standalone" or "session"',
            )

    def _check_secret(self, place: Place, client_id: str) -> None:
        given = [name for name in ("secret", "secretFile", "secretEnv") if place.given(name)]
        if "secretEnv" in given and len(given) > 1:
            place.refuse("secretEnv", f'Secret and SecretEnv fields are exclusive for client "{client_id}"')
        elif self.public and place.given("jwks"):
            place.refuse("jwks", "a client that has keys of its own can prove who it is: it is not public")
        elif not given and not self.public and not place.given("jwks"):
            place.refuse("secret", f'Secret or SecretEnv field is required for client "{client_id}"')
        elif (self.secret or self.secret_env).isspace():
            # Whoever sends no secret must never match one (OA-17).
            place.refuse(given[0], f'the secret of client "{client_id}" is blank')


def client(place: Place) -> Client:
    """Reads one client."""
    entry = section(place, _Entry)
    return Client(
        id=entry.id or entry.id_env,
        secret=entry.secret or entry.secret_env,
        name=entry.name,
        public=entry.public,
        logo_url=entry.logo_url,
        redirect_uris=entry.redirect_uris,
        post_logout_redirect_uris=entry.post_logout_redirect_uris,
        backchannel_logout_uri=entry.backchannel_logout_uri,
        refresh_token_lifetime=entry.refresh_token_lifetime,
        trusted_peers=entry.trusted_peers,
        allowed_connectors=entry.allowed_connectors,
        mfa_chain=entry.mfa_chain,
        sso_shared_with=entry.sso_shared_with,
        client_credentials_groups=entry.client_credentials_claims.groups,
        jwks=entry.jwks,
    )


clients = list_of(client, unique=lambda each: each.id, called="client id")
