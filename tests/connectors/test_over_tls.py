"""FU-04: connectors over real TLS to fake upstreams with certificates of their own making."""

from __future__ import annotations

import datetime
import ipaddress
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.trial.unittest import TestCase
from twisted.web.server import Site

from dextwist.connectors.interface import CallbackRequest, ConnectorError, ConnectorUnavailable, Identity
from dextwist.connectors.registry import ConnectorContext, open_connector
from dextwist.connectors.upstream.clients import UpstreamClients
from dextwist.model.connector import ConnectorRecord
from tests.connectors.fakes import CountedHashing, FakeStorage, immediate_checker
from tests.connectors.federated import CALLBACK, PLAIN, STATE
from tests.upstreams.google import FakeGoogle
from tests.upstreams.microsoft import FakeMicrosoft
from tests.upstreams.network import CountedCalls
from tests.upstreams.oauth import FakeOAuth
from tests.upstreams.oidc_provider import FakeProvider
from tests.upstreams.served import ServedUpstream

DAY = datetime.timedelta(days=1)
JANE = {"sub": "1", "name": "Jane Doe", "email": "jane@example.org", "email_verified": True}
#: Type -> a fake of its upstream, and the settings that lead there.
FAKES: dict[str, tuple[Callable[[], FakeOAuth], Callable[[str], dict[str, str]]]] = {
    "oauth": (
        FakeOAuth,
        lambda url: {
            "authorizationURL": f"{url}/authorize",
            "tokenURL": f"{url}/token",
            "userInfoURL": f"{url}/userinfo",
        },
    ),
    "microsoft": (FakeMicrosoft, lambda url: {"apiURL": url, "graphURL": url, "tenant": "acme"}),
    "google": (lambda: FakeGoogle(clock=reactor), lambda url: {"issuer": url}),
    "oidc": (lambda: FakeProvider(clock=reactor, person=JANE), lambda url: {"issuer": url}),
}


def certificate(path: Path, address: str, age: datetime.timedelta) -> None:
    """A certificate for this address, signed by itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "upstream")])
    begins = datetime.datetime.now(datetime.UTC) - age
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + 2 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)


class TLSTests(TestCase):
    """Each type, at an upstream whose certificate is right, for another host, or of the day before."""

    async def log_in(self, kind: str, address: str, age: datetime.timedelta, **config: Any) -> Identity:
        """Through a new connector at a new upstream with such a certificate; settings name its path `%`."""
        path = Path(self.mktemp())
        certificate(path, address, age)
        make, settings_for = FAKES[kind]
        upstream = make()
        endpoint = serverFromString(reactor, f"ssl:0:interface=127.0.0.1:privateKey={path}")
        port = await endpoint.listen(Site(ServedUpstream(upstream)))
        self.addCleanup(port.stopListening)
        upstream.url = f"https://127.0.0.1:{port.getHost().port}"
        settings = {
            "clientID": upstream.client_id,
            "clientSecret": upstream.client_secret,
            "redirectURI": CALLBACK,
            **settings_for(upstream.url),
            **config,
        }
        content = json.dumps(settings).replace("%", str(path)).encode()
        context = ConnectorContext(
            clock=reactor,
            storage=FakeStorage(),
            password_checker=immediate_checker(CountedHashing()),
            upstream_client=UpstreamClients(reactor=reactor, metrics=CountedCalls(), environ={}),
        )
        record = ConnectorRecord(id="up", type=kind, name="Up", config=content)
        connector: Any = await open_connector(record, context=context)
        start = await connector.login_url(PLAIN, CALLBACK, STATE)
        brought = CallbackRequest(query=upstream.log_in(start.url), headers={})
        identity: Identity = await connector.handle_callback(PLAIN, start.connector_data, brought)
        return identity

    async def let_in(self, kind: str, address: str, age: datetime.timedelta, **config: Any) -> None:
        identity = await self.log_in(kind, address, age, **config)
        self.assertEqual(identity.claims.username, "Jane Doe")

    async def kept_out(self, kind: str, address: str, age: datetime.timedelta, **config: Any) -> None:
        try:
            await self.log_in(kind, address, age, **config)
        except (ConnectorError, ConnectorUnavailable) as error:
            self.assertRegex(str(error), "certificate|VerificationError")
            return
        self.fail(f"{kind} believed the certificate for {address}, {age} old")

    async def check(self, kind: str) -> None:
        here, elsewhere, new, old = "127.0.0.1", "127.0.0.2", DAY, 3 * DAY
        await self.kept_out(kind, here, new)
        await self.let_in(kind, here, new, rootCAs=["%"])
        await self.kept_out(kind, elsewhere, new, rootCAs=["%"])
        await self.kept_out(kind, here, old, rootCAs=["%"])
        await self.let_in(kind, elsewhere, old, insecureSkipVerify=True)

    async def test_oauth(self) -> None:
        await self.check("oauth")

    async def test_microsoft(self) -> None:
        await self.check("microsoft")

    async def test_google(self) -> None:
        await self.check("google")

    async def test_oidc(self) -> None:
        await self.check("oidc")
