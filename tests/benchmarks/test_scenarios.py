"""What simulated clients take for a right answer, and what the generator counts."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.application import Application, LoginForm
from benchmarks.daemon import CLIENT_ID
from benchmarks.generator import Load
from benchmarks.http_client import Answer, HTTPClient, WrongAnswer
from benchmarks.scenarios import SCENARIOS, Scenario

GOOD_CLAIMS = {"iss": "https://op/dex", "aud": CLIENT_ID, "sub": "s", "exp": 9}


@attrs.define(kw_only=True)
class CannedHTTP(HTTPClient):
    """Answers every request with the same JSON."""

    said: Mapping[str, Any]
    status: int = 200
    reactor: Any = None
    host: str = ""
    port: int = 0

    async def request(
        self,
        method: str,
        target: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Sequence[str] = (),
    ) -> Answer:
        return Answer(status=self.status, headers=(), body=json.dumps(self.said).encode())


def a_jwt(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.x"


def an_application(said: Mapping[str, Any], status: int = 200) -> Application:
    metadata = {
        "issuer": "https://op/dex",
        "token_endpoint": "https://op/dex/token",
        "jwks_uri": "https://op/k",
    }
    return Application(number=0, http=CannedHTTP(said=said, status=status), metadata=metadata)


class CheckTests(SynchronousTestCase):
    """A scenario that takes every answer would measure nothing."""

    def run_once(self, scenario: str, application: Application) -> Deferred[None]:
        return Deferred.fromCoroutine(SCENARIOS[scenario].once(application))

    def assertWrong(self, what: str, running: Deferred[None]) -> None:
        self.assertEqual(str(self.failureResultOf(running, WrongAnswer).value), what)

    def with_tokens(self, **over: Any) -> Application:
        """An application that is given these tokens by everything it asks."""
        said = {"access_token": "a", "id_token": a_jwt(**GOOD_CLAIMS), "refresh_token": "r", **over}
        return an_application({name: value for name, value in said.items() if value is not None})

    def test_a_refresh_token_must_be_rotated(self) -> None:
        application = self.with_tokens()
        self.successResultOf(Deferred.fromCoroutine(application.take_tokens("refresh_token")))
        self.assertWrong("refresh_token: not rotated", self.run_once("refresh", application))

    def test_tokens_must_be_there_and_for_this_client(self) -> None:
        for over, what in (
            ({"refresh_token": None}, "code: no refresh_token"),
            ({"id_token": "x"}, "token: no JWT"),
            ({"id_token": a_jwt(**GOOD_CLAIMS | {"aud": "other"})}, "code: another audience"),
            ({"id_token": a_jwt(**GOOD_CLAIMS | {"iss": "other"})}, "code: another issuer"),
            ({"id_token": a_jwt(**GOOD_CLAIMS | {"sub": ""})}, "code: claims are missing"),
            ({"id_token": a_jwt(**GOOD_CLAIMS | {"nonce": "other"})}, "code: another nonce"),
        ):
            taking = Deferred.fromCoroutine(self.with_tokens(**over).take_tokens("code", nonce="mine"))
            self.assertWrong(what, taking)

    def test_a_refusal_is_counted_by_its_error(self) -> None:
        refused = an_application({"error": "invalid_client"}, status=401)
        self.assertWrong("clientcredentials: 401 invalid_client", self.run_once("clientcredentials", refused))

    def test_keys_must_be_there(self) -> None:
        self.successResultOf(self.run_once("keys", an_application({"keys": [{"kid": "1"}]})))
        self.assertWrong("keys: none", self.run_once("keys", an_application({"keys": []})))

    def test_a_scenario_is_run_where_discovery_offers_it(self) -> None:
        metadata = {"issuer": "x", "grant_types_supported": ["password"]}
        offered = [name for name, each in SCENARIOS.items() if each.is_offered(metadata)]
        self.assertEqual(offered, ["code", "code-local", "password", "userinfo", "discovery", "keys"])

    def test_the_form_with_the_password_is_filled_in(self) -> None:
        form = LoginForm(
            '<form action="/search"><input type="hidden" name="q" value="1"></form>'
            '<form action="/in?a=1&amp;b=2"><input type="hidden" name="state" value="&lt;s&gt;">'
            '<input name="login"><input type="password" name="password"></form>'
            '<form action="/other"><input type="hidden" name="other" value="1"></form>'
        )
        self.assertEqual((form.action, form.hidden), ("/in?a=1&b=2", {"state": "<s>"}))
        self.assertFalse(LoginForm("<form action=x></form>").asks_for_password)


class LoadTests(SynchronousTestCase):
    """What counts."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.answers: list[Deferred[None]] = []
        self.prepared = 0

    def load(self) -> Load:
        async def once(_: Application) -> None:
            self.answers.append(Deferred())
            await self.answers[-1]

        async def prepare(_: Application) -> None:
            self.prepared += 1

        scenario = Scenario(name="x", once=once, prepare=prepare)
        return Load(reactor=self.clock, scenario=scenario, now=self.clock.seconds)

    def answer_after(self, seconds: float, wrong: str = "") -> None:
        self.clock.advance(seconds)
        if wrong:
            self.answers[-1].errback(WrongAnswer(wrong))
        else:
            self.answers[-1].callback(None)

    def test_only_what_is_answered_in_the_counted_time_counts(self) -> None:
        load = self.load()
        loop = Deferred.fromCoroutine(load.go_on(an_application({})))
        self.answer_after(1)
        counted = Deferred.fromCoroutine(load.count(10, os.getpid()))
        self.answer_after(2)
        self.answer_after(3)
        self.clock.advance(5)
        run = self.successResultOf(counted)
        self.answer_after(4)
        self.successResultOf(loop)
        self.assertEqual((run.ended, run.waited), ([2, 5], [2, 3]))
        self.assertEqual((run.unanswered, run.longest), ([5], 5))

    def test_a_wrong_answer_is_counted_and_the_client_starts_again_after_a_rest(self) -> None:
        load = self.load()
        loop = Deferred.fromCoroutine(load.go_on(an_application({})))
        counted = Deferred.fromCoroutine(load.count(1, os.getpid()))
        self.answer_after(0.1, wrong="token: 400")
        self.assertEqual((len(self.answers), self.prepared), (1, 0))
        self.clock.advance(0.05)
        self.assertEqual((len(self.answers), self.prepared), (2, 1))
        self.clock.advance(1)
        run = self.successResultOf(counted)
        self.assertEqual((run.wrong, list(run.waited)), ({"token: 400": 1}, []))
        self.answers[-1].callback(None)
        self.successResultOf(loop)
