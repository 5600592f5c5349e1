"""The connector by itself: no server, no network, no waiting."""

from pathlib import Path

from dextwist_htpasswd import HtpasswdConnector
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorScopes, IdentityGone
from dextwist.connectors.password_hash import PasswordChecker

PASSWORDS = PasswordChecker(run=lambda work: succeed(work()), at_once=1)
#: The password is: password
ANN = "ann:$2b$10$EVLvuRtVonj4GW6OqXvEoewAkWbxHF156jFmDI4rtkDYDAMyXAhL6\n"


class HtpasswdTests(SynchronousTestCase):
    def test_login_and_refresh(self) -> None:
        file = Path(self.mktemp())
        file.write_text(ANN)
        connector, scopes = HtpasswdConnector(file=file, passwords=PASSWORDS), ConnectorScopes()
        for user, password in (("ann", "wrong"), ("bob", "password")):
            login = connector.login(scopes, user, password)
            self.assertIsNone(self.successResultOf(Deferred.fromCoroutine(login)))
        login = connector.login(scopes, "ann", "password")
        identity = self.successResultOf(Deferred.fromCoroutine(login))
        assert identity is not None
        self.assertEqual(identity.claims.user_id, "ann")
        refresh = connector.refresh(scopes, identity)
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(refresh)), identity)
        file.write_text("")
        self.failureResultOf(Deferred.fromCoroutine(connector.refresh(scopes, identity)), IdentityGone)
