"""Scopes, and the clients that cross-client scopes name."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.scopes import KNOWN_SCOPES, parse_scopes, peer_of, peers_of, unknown_scopes


class ScopeTests(SynchronousTestCase):
    def test_5_1_white_space_does_no_harm(self) -> None:
        self.assertEqual(parse_scopes("  openid   email openid "), ("openid", "email"))
        self.assertEqual(parse_scopes(""), ())

    def test_31_16_cross_client_scopes(self) -> None:
        self.assertEqual(peer_of("audience:server:client_id:peer-1"), "peer-1")
        self.assertEqual(peer_of("audience:server:client_id:"), "")
        self.assertEqual(peer_of("audience:server:client_id:a:b"), "a:b")
        for scope in ("openid", "audience:other", "", "Audience:server:client_id:x"):
            self.assertIsNone(peer_of(scope), scope)

    def test_peers_in_the_order_of_the_scopes(self) -> None:
        scopes = ["openid", "audience:server:client_id:b", "email", "audience:server:client_id:a"]
        self.assertEqual(peers_of(scopes), ["b", "a"])

    def test_30_12_unknown_scopes_are_told(self) -> None:
        self.assertEqual(unknown_scopes(KNOWN_SCOPES), [])
        scopes = ["openid", "x", "audience:server:client_id:p", "OPENID", "audience:other"]
        self.assertEqual(unknown_scopes(scopes), ["x", "OPENID", "audience:other"])
