"""The mock connectors."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import (
    CallbackConnector,
    CallbackRequest,
    ConnectorError,
    ConnectorScopes,
    Identity,
    LoginStart,
    LogoutConnector,
    PasswordConnector,
    RefreshConnector,
    TokenIdentityConnector,
)
from dextwist.connectors.mock import MockCallbackConnector, MockPasswordConnector
from dextwist.model.claims import Claims
from tests.connectors.fakes import started

SCOPES = ConnectorScopes()
NOTHING = CallbackRequest(query={}, headers={})
KILGORE = Claims(
    user_id="0-385-28089-0",
    username="Kilgore Trout",
    email="kilgore@kilgore.trout",
    email_verified=True,
)
AUTHOR = Identity(claims=attrs.evolve(KILGORE, groups=("authors",)), connector_data=b"foobar")


class MockCallbackTests(SynchronousTestCase):
    """`mockCallback`: straight back, as the same person."""

    def setUp(self) -> None:
        self.connector = MockCallbackConnector()

    def start(self, callback_url: str, state: str = "abc") -> Deferred[LoginStart]:
        return started(self.connector.login_url(SCOPES, callback_url, state))

    def test_its_abilities_are_callback_refresh_and_token_exchange(self) -> None:
        for ability in (CallbackConnector, RefreshConnector, TokenIdentityConnector):
            self.assertIsInstance(self.connector, ability)
        for other in (PasswordConnector, LogoutConnector):
            self.assertNotIsInstance(self.connector, other)

    def test_login_goes_to_the_callback_with_the_state(self) -> None:
        self.assertEqual(
            self.successResultOf(self.start("https://idp.test/dex/callback")),
            LoginStart(url="https://idp.test/dex/callback?state=abc"),
        )

    def test_query_of_the_callback_url_is_kept(self) -> None:
        start = self.successResultOf(self.start("https://idp.test/callback?a=1&empty=&state=old"))
        self.assertEqual(start.url, "https://idp.test/callback?a=1&empty=&state=abc")

    def test_callback_url_that_cannot_be_read_is_an_error(self) -> None:
        self.failureResultOf(self.start("https://[idp.test/callback"), ConnectorError)

    @given(st.text())
    def test_any_state_comes_back_as_it_was(self, state: str) -> None:
        url = self.successResultOf(self.start("https://idp.test/callback?a=1", state)).url
        query = parse_qs(urlsplit(url).query, keep_blank_values=True)
        self.assertEqual(query, {"a": ["1"], "state": [state]})

    def test_callback_and_token_give_the_fixed_person(self) -> None:
        callback = self.connector.handle_callback(SCOPES, b"", NOTHING)
        self.assertEqual(self.successResultOf(started(callback)), AUTHOR)
        token = self.connector.token_identity("urn:ietf:params:oauth:token-type:id_token", "foobar")
        self.assertEqual(self.successResultOf(started(token)), AUTHOR)

    def test_another_identity_shows_at_the_next_login_and_refresh(self) -> None:
        self.connector.identity = renamed = Identity(claims=attrs.evolve(KILGORE, username="Vonnegut"))
        callback = self.connector.handle_callback(SCOPES, b"", NOTHING)
        self.assertEqual(self.successResultOf(started(callback)), renamed)
        refresh = self.connector.refresh(SCOPES, AUTHOR)
        self.assertEqual(self.successResultOf(started(refresh)), renamed)


class MockPasswordTests(SynchronousTestCase):
    """`mockPassword`: one name and one password."""

    def setUp(self) -> None:
        self.connector = MockPasswordConnector(username="test", password="pass")

    def login(self, username: str, password: str) -> Identity | None:
        return self.successResultOf(started(self.connector.login(SCOPES, username, password)))

    def test_its_abilities_are_password_and_refresh(self) -> None:
        for ability in (PasswordConnector, RefreshConnector):
            self.assertIsInstance(self.connector, ability)
        for other in (CallbackConnector, TokenIdentityConnector, LogoutConnector):
            self.assertNotIsInstance(self.connector, other)

    def test_the_form_has_the_label_of_the_server(self) -> None:
        self.assertEqual(self.connector.prompt, "")

    def test_right_name_and_password_give_the_fixed_person(self) -> None:
        self.assertEqual(
            self.login("test", "pass"), Identity(claims=KILGORE, connector_data=b'{"test": "true"}')
        )

    def test_anything_else_is_refused(self) -> None:
        for username, password in (("test", "wrong"), ("Test", "pass"), ("test ", "pass"), ("", "")):
            self.assertIsNone(self.login(username, password))

    def test_another_identity_can_be_given(self) -> None:
        connector = MockPasswordConnector(username="test", password="pass", identity=AUTHOR)
        self.assertEqual(self.successResultOf(started(connector.login(SCOPES, "test", "pass"))), AUTHOR)

    def test_refresh_changes_nothing(self) -> None:
        self.assertEqual(self.successResultOf(started(self.connector.refresh(SCOPES, AUTHOR))), AUTHOR)

    def test_password_is_not_shown(self) -> None:
        self.assertNotIn("pass'", repr(self.connector))
