"""A fake Google: an OpenID provider, the Directory API, service accounts, and a machine's metadata server."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from twisted.internet.interfaces import IReactorTime

from tests.upstreams.oauth import FakeOAuth, Granted
from tests.upstreams.served import Answer, Call, main

DIRECTORY = "/admin/directory/v1/groups"
METADATA = "/computeMetadata/v1/instance/service-accounts/default"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ROBOT = "robot@project.iam.gserviceaccount.com"
SIGN_JWT = f"/v1/projects/-/serviceAccounts/{ROBOT}:signJwt"


def api_error(status: int, message: str, reason: str, domain: str = "global") -> Answer:
    """An error as Google's APIs word it."""
    details = [{"message": message, "domain": domain, "reason": reason}]
    return Answer.json({"error": {"code": status, "message": message, "errors": details}}, status)


QUOTA_EXCEEDED = api_error(403, "Quota exceeded for quota metric 'Queries'.", "quotaExceeded", "usageLimits")


def new_key(kid: str) -> JWK:
    """An RSA key of that name."""
    return JWK.generate(kty="RSA", size=2048, kid=kid, use="sig", alg="RS256")


def signed(claims: Mapping[str, Any], key: JWK) -> str:
    """A JWT."""
    token = JWT(header={"alg": "RS256", "typ": "JWT", "kid": key["kid"]}, claims=dict(claims))
    token.make_signed_token(key)
    return str(token.serialize())


@attrs.define(kw_only=True, eq=False)
class FakeGoogle(FakeOAuth):
    """Google with a Workspace. All that is public may be changed at any time."""

    url: str = "https://accounts.google.com"
    clock: IReactorTime
    key: JWK = attrs.field(factory=lambda: new_key("google-1"))
    #: signs for the service account.
    robot_key: JWK = attrs.field(factory=lambda: new_key("robot-1"))
    person: dict[str, Any] = attrs.field(
        factory=lambda: {
            "sub": "110169484474386276334",
            "name": "Jane Doe",
            "email": "jane@example.org",
            "email_verified": True,
            "hd": "example.org",
        }
    )
    #: laid over the claims of ID tokens; None removes one.
    id_token: dict[str, Any] = attrs.field(factory=dict)
    id_token_on_refresh: bool = True
    #: address of a person or group -> the groups that it is in.
    member_of: dict[str, list[str]] = attrs.field(factory=dict)
    #: how many groups a page has.
    page: int = 200
    #: admin of each service token -> who asked for whom.
    admins: dict[str, str] = attrs.field(init=False, factory=dict)
    lookups: list[tuple[str, str]] = attrs.field(init=False, factory=list)
    #: header and claims of what the service account signed.
    assertions: list[tuple[dict[str, Any], dict[str, Any]]] = attrs.field(init=False, factory=list)

    authorize_path = "/o/oauth2/v2/auth"

    def routes(self) -> Mapping[str, Callable[[Call], Answer]]:
        return {
            **super().routes(),
            "/.well-known/openid-configuration": self.discovery,
            "/oauth2/v3/certs": self.certificates,
            DIRECTORY: self.directory,
            f"{METADATA}/email": self.metadata_email,
            f"{METADATA}/token": self.metadata_token,
            SIGN_JWT: self.sign_jwt,
        }

    def configuration(self) -> Sequence[str]:
        path = Path(tempfile.mkdtemp(prefix="fake-google-")) / "service-account.json"
        path.write_text(json.dumps(self.key_file()))
        return (
            f"clientID: {self.client_id}",
            f"clientSecret: {self.client_secret}",
            f"issuer: {self.url}",
            f"directoryURL: {self.url}",
            f"serviceAccountFilePath: {path}",
            'domainToAdminEmail: {"*": admin@example.org}',
        )

    def key_file(self) -> dict[str, str]:
        """The service account's key file."""
        return {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": self.robot_key["kid"],
            "private_key": self.robot_key.export_to_pem(True, None).decode(),
            "client_email": ROBOT,
            "client_id": "100000000000000000001",
            "token_uri": f"{self.url}/token",
        }

    def discovery(self, call: Call) -> Answer:
        return Answer.json(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}{self.authorize_path}",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/oauth2/v3/certs",
                "response_types_supported": ["code", "token", "id_token", "code token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["plain", "S256"],
            }
        )

    def certificates(self, call: Call) -> Answer:
        return Answer.json({"keys": [json.loads(self.key.export_public())]})

    def tokens(self, granted: Granted, *, refresh: bool) -> dict[str, Any]:
        answer = super().tokens(granted, refresh=refresh)
        now = int(self.clock.seconds())
        claims = {
            "iss": self.url,
            "aud": self.client_id,
            "azp": self.client_id,
            "iat": now,
            "exp": now + 3600,
            "nonce": granted.asked.get("nonce"),
            **granted.person,
            **self.id_token,
        }
        answer["id_token"] = signed({n: v for n, v in claims.items() if v is not None}, self.key)
        return answer

    def token(self, call: Call) -> Answer:
        grant_type = call.form.get("grant_type")
        if grant_type == JWT_BEARER:
            return self.service_token(call.form["assertion"])
        answer = super().token(call)
        if grant_type == "refresh_token" and answer.status == 200 and not self.id_token_on_refresh:
            content = json.loads(answer.body)
            del content["id_token"]
            return Answer.json(content)
        return answer

    def service_token(self, assertion: str) -> Answer:
        """A token of the admin whom the service account's assertion names (RFC 7523 §2.1)."""
        token = JWT(algs=["RS256"])
        token.deserialize(assertion)
        token.token.verify(self.robot_key)
        claims = json.loads(token.token.payload)
        self.assertions.append((token.token.jose_header, claims))
        access = f"service-{len(self.admins)}"
        self.admins[access] = claims["sub"]
        return Answer.json({"access_token": access, "token_type": "Bearer", "expires_in": 3600})

    def directory(self, call: Call) -> Answer:
        admin = self.admins.get(call.token)
        if admin is None:
            return api_error(401, "Invalid Credentials", "authError")
        who = call.query.get("userKey", "")
        self.lookups.append((admin, who))
        groups, start = self.member_of.get(who, []), int(call.query.get("pageToken") or 0)
        end = start + self.page
        answer: dict[str, Any] = {"kind": "admin#directory#groups", "etag": '"x"'}
        if groups:  # Google leaves the member out where there are none.
            answer["groups"] = [
                {"kind": "admin#directory#group", "id": address, "email": address, "name": address}
                for address in groups[start:end]
            ]
        if end < len(groups):
            answer["nextPageToken"] = str(end)
        return Answer.json(answer)

    def metadata_email(self, call: Call) -> Answer:
        return self._metadata(call, Answer(body=ROBOT.encode(), headers={"Content-Type": "application/text"}))

    def metadata_token(self, call: Call) -> Answer:
        content = {"access_token": "machine-token", "expires_in": 3000, "token_type": "Bearer"}
        return self._metadata(call, Answer.json(content))

    def sign_jwt(self, call: Call) -> Answer:
        """IAM signs for the service account whose machine asks."""
        if call.token != "machine-token":
            return api_error(401, "Request is missing a valid credential.", "required")
        payload = json.loads(call.json["payload"])
        return Answer.json({"keyId": self.robot_key["kid"], "signedJwt": signed(payload, self.robot_key)})

    def _metadata(self, call: Call, answer: Answer) -> Answer:
        """The metadata server answers nobody who does not say that it is meant."""
        return answer if call.headers.get("metadata-flavor") == "Google" else Answer.html("Forbidden", 403)


def _run() -> None:
    from twisted.internet import reactor

    main(FakeGoogle(clock=reactor), __doc__)


if __name__ == "__main__":
    _run()
