"""`dextwist connector test`: one login on the terminal."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import attrs
import yaml
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.config.configuration import load
from dextwist.connector_command import try_connector
from dextwist.connector_trial import ConnectorTrial, Terminal, masked
from dextwist.connectors.interface import (
    CallbackRequest,
    ConnectorError,
    Connectors,
    ConnectorUnavailable,
    Identity,
    IdentityGone,
    LoginCancelled,
    LoginRefused,
    OpenedConnector,
    Overloaded,
)
from dextwist.connectors.mock import MockCallbackConnector
from dextwist.model.claim_rules import ClaimRules, GroupsRule
from dextwist.model.connector import ConnectorRecord
from tests.connectors.fakes import started
from tests.flows.daemon import basic_config, free_port, merged

RULES = {"groups": {"prefix": "corp:", "add": ["all"]}}
PASSWORD_CONNECTOR = {
    "type": "mockPassword",
    "id": "pw",
    "name": "Pw",
    "config": {"username": "u", "password": "s3cret"},
    "claims": RULES,
}


@attrs.define
class FakeTerminal(Terminal):
    """Types what it was told to, and remembers what it was shown."""

    typed: list[str] = attrs.field(factory=list)
    said: str = ""

    def say(self, text: str) -> None:
        self.said += text + "\n"

    def ask(self, label: str) -> str:
        self.say(label)
        return self.typed.pop(0)

    ask_secret = ask

    def shown(self, heading: str) -> Any:
        """The JSON below a heading."""
        text = self.said.partition(f"{heading}:\n")[2]
        return json.JSONDecoder().raw_decode(text)[0]


@attrs.define
class OneConnector(Connectors):
    """Has one connector, or none."""

    connector: object = None

    async def get(self, connector_id: str) -> OpenedConnector:
        if self.connector is None:
            raise ConnectorUnavailable(connector_id, "there is no such one")
        return OpenedConnector(ConnectorRecord(id=connector_id, type="mock", name="M"), self.connector)

    async def records(self) -> list[ConnectorRecord]:
        raise NotImplementedError


@attrs.define(kw_only=True)
class Telling(MockCallbackConnector):
    """Says what the upstream said, or fails."""

    upstream_claims: Mapping[str, Any] = attrs.field(factory=dict)
    failure: Exception | None = None

    async def handle_callback(self, *_: object) -> Identity:
        if self.failure is not None:
            raise self.failure
        return attrs.evolve(self.identity, upstream_claims=self.upstream_claims)


class TrialTests(SynchronousTestCase):
    """Step by step."""

    def setUp(self) -> None:
        self.terminal = FakeTerminal()
        self.brought: Mapping[str, str] = {"state": "the-state", "code": "s3cret-code"}

    async def visit(self, url: str) -> CallbackRequest:
        self.terminal.say(f"visit {url}")
        return CallbackRequest(query=self.brought, headers={})

    def log_in(self, connector: object, **how: Any) -> bool:
        trial = ConnectorTrial(
            connectors=OneConnector(connector),
            claim_rules=how,
            issuer="http://issuer/dex",
            callback_url="http://issuer/dex/callback",
            clock=Clock(),
            token_lifetime=load_minimal().expiry.id_tokens,
            terminal=self.terminal,
            visit=self.visit,
            new_id=lambda: "the-state",
        )
        return self.successResultOf(started(trial.log_in("corp")))

    def test_what_was_said_what_rules_made_of_it_and_the_id_token_are_shown(self) -> None:
        connector = Telling(upstream_claims={"mail": "m", "id_token": "s3cret", "n": {"apiKey": "s3cret"}})
        rules = ClaimRules(groups=GroupsRule(source=("upstream", "mail"), prefix="c:"))
        self.assertTrue(self.log_in(connector, corp=rules))
        shown = self.terminal.shown
        self.assertEqual(shown("The upstream said")["mail"], "m")
        self.assertEqual(shown("The connector made of it")["groups"], ["authors"])
        self.assertEqual(shown("The rules under claims made of that")["groups"], ["c:m"])
        token = shown("An ID token with all scopes would say")
        self.assertEqual((token["iss"], token["groups"]), ("http://issuer/dex", ["c:m"]))
        self.assertEqual(token["federated_claims"]["connector_id"], "corp")
        self.assertIn("visit http://issuer/dex/callback?state=the-state", self.terminal.said)

    def test_secrets_are_not_shown(self) -> None:
        connector = Telling(
            identity=attrs.evolve(MockCallbackConnector().identity, connector_data=b"s3cret-data"),
            upstream_claims={"id_token": "s3cret", "nested": [{"apiKey": "s3cret"}]},
        )
        self.assertTrue(self.log_in(connector))
        self.assertNotIn("s3cret", self.terminal.said)
        self.assertIn("11 bytes, not shown", self.terminal.said)
        self.assertIn("code (11 characters)", self.terminal.said)

    def test_without_rules_there_is_no_word_of_them(self) -> None:
        self.assertTrue(self.log_in(Telling()))
        self.assertNotIn("rules", self.terminal.said)

    def test_another_logins_callback_is_refused(self) -> None:
        for self.brought in ({"state": "another"}, {}):
            self.assertFalse(self.log_in(Telling()))
            self.assertIn("another login", self.terminal.said)

    def test_what_goes_wrong_is_said_in_a_sentence(self) -> None:
        for failure, words in (
            (ConnectorError("no route"), "Failed: no route"),
            (LoginRefused("1", ("ops",)), "Refused: login of '1' refused, who is in none of ops"),
            (LoginCancelled(), "Cancelled"),
            (Overloaded(), "Failed: too much"),
        ):
            self.assertFalse(self.log_in(Telling(failure=failure)))
            self.assertIn(words, self.terminal.said)
        self.assertFalse(self.log_in(None))
        self.assertIn("there is no such one", self.terminal.said)
        self.assertFalse(self.log_in(object()))
        self.assertIn("need a browser", self.terminal.said)

    def test_fault_in_a_connector_is_not_hidden(self) -> None:
        """Whoever writes one wants to see where."""
        with self.assertRaises(AssertionError) as caught:
            self.log_in(Telling(failure=IdentityGone("not at a login")))
        self.assertIn("IdentityGone", str(caught.exception))

    def test_masked_keeps_what_is_no_secret(self) -> None:
        said = {"a": [1, "x", None, True], "email_verified": False, "token_use": "", "odd": object()}
        self.assertEqual(masked(said), {**said, "odd": "(not shown)"})


def load_minimal() -> Any:
    """A configuration of defaults."""
    return written(Path("trial-defaults.yaml"), basic_config(5556))


def written(path: Path, config: Mapping[str, Any]) -> Any:
    path.write_text(yaml.safe_dump(dict(config), sort_keys=False))
    return load(str(path), environ={})


class WiringTests(SynchronousTestCase):
    """With the daemon's own parts; pasting needs no listener, and so no reactor that runs."""

    def try_it(self, connector_id: str, *typed: str) -> bool:
        config = merged(basic_config(5556), {"connectors": [PASSWORD_CONNECTOR]})
        self.terminal = FakeTerminal([*typed])
        loaded = written(Path(self.mktemp()), config)
        trying: Deferred[bool] = started(
            try_connector(loaded, connector_id, terminal=self.terminal, reactor=Clock(), paste=True)
        )
        return self.successResultOf(trying)

    def test_password(self) -> None:
        self.assertTrue(self.try_it("pw", "u", "s3cret"))
        token = self.terminal.shown("An ID token with all scopes would say")
        self.assertEqual((token["name"], token["groups"]), ("Kilgore Trout", ["all"]))
        self.assertEqual(self.terminal.shown("The connector made of it")["groups"], [])
        self.assertNotIn("s3cret", self.terminal.said)

    def test_wrong_password(self) -> None:
        self.assertFalse(self.try_it("pw", "u", "wrong"))
        self.assertIn("Rejected", self.terminal.said)

    def test_connector_that_is_not_there(self) -> None:
        self.assertFalse(self.try_it("nobody"))
        self.assertIn("'nobody': there is no such one", self.terminal.said)


class CommandTests(SynchronousTestCase):
    """The command itself, as a process of its own."""

    def setUp(self) -> None:
        port = free_port()
        mock = {"type": "mockCallback", "id": "mock", "name": "Mock", "claims": RULES}
        config = merged(basic_config(port), {"connectors": [mock, PASSWORD_CONNECTOR]})
        self.file, self.port = Path(self.mktemp()).absolute(), port
        written(self.file, config)

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("dextwist")), "connector", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ},
        )
        self.addCleanup(process.kill)
        return process

    def test_listening_for_the_browser(self) -> None:
        process = self.command("test", "mock", "-c", str(self.file))
        assert process.stdout is not None
        url = ""
        while not url.startswith("http"):
            url = process.stdout.readline().strip()
            self.assertIsNone(process.poll())
        with self.assertRaises(OSError):
            urlopen(url.replace("/dex/callback", "/favicon.ico"))
        with urlopen(url) as answer:
            self.assertIn(b"Thank you", answer.read())
        said, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0)
        self.assertIn("corp:authors", said)

    def test_pasting_where_the_address_is_taken(self) -> None:
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            process = self.command("test", "mock", "-c", str(self.file))
            assert process.stdout is not None
            assert process.stdin is not None
            url = ""
            while not url.startswith("http"):
                url = process.stdout.readline().strip()
            said, _ = process.communicate(url + "&code=x\n", timeout=20)
        self.assertEqual(process.returncode, 0)
        self.assertIn("state (25 characters), code (1 characters)", said)

    def test_status_tells_what_came_of_it(self) -> None:
        for arguments, typed, status in (
            (("test", "pw", "-c", str(self.file)), "u\ns3cret\n", 0),
            (("test", "-c", str(self.file), "pw"), "u\nwrong\n", 1),
            (("test", "pw"), "", 2),
            (("test",), "", 2),
            (("test", "pw", "-c", "/nonexistent"), "", 2),
        ):
            process = self.command(*arguments)
            said, told = process.communicate(typed, timeout=20)
            self.assertEqual(process.returncode, status, said + told)
            self.assertNotIn("Traceback", told)

    def test_types(self) -> None:
        process = self.command("types")
        said, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0)
        self.assertIn("mockCallback       built in\n", said)
