"""What tests of the configuration share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from dextwist.config.configuration import Configuration, load
from dextwist.config.connector_types import DEX_TYPES, ConnectorTypes
from dextwist.config.errors import ConfigError, InvalidConfiguration

#: The least that starts.
MINIMAL: Mapping[str, Any] = {
    "issuer": "http://127.0.0.1:5556/dex",
    "storage": {"type": "memory"},
    "web": {"http": "127.0.0.1:5556"},
}
#: bcrypt of `password` with cost 10.
PASSWORD_HASH = "$2b$10$vL2R//xkzhknmZOgxx8mieqwSPZLVhC18fxs1ft0pWzU1NXq1T7zC"
CLIENT: Mapping[str, Any] = {"id": "app", "name": "App", "secret": "app-secret"}
USER: Mapping[str, Any] = {"email": "ann@example.org", "hash": PASSWORD_HASH, "userID": "1"}
MOCK: Mapping[str, Any] = {"type": "mockCallback", "id": "mock", "name": "Mock"}


class ConfigCase(SynchronousTestCase):
    """Loads files that are made of a few keys."""

    def file(self, content: str | bytes) -> str:
        """The path of a new file with this content."""
        path = Path(self.mktemp())
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def load_text(
        self,
        text: str | bytes,
        *,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, str] | None = None,
        connector_types: ConnectorTypes = DEX_TYPES,
    ) -> Configuration:
        return load(
            self.file(text),
            environ=environ or {},
            overrides=overrides or {},
            connector_types=connector_types,
        )

    def load(self, over: Mapping[str, Any] | None = None, **more: Any) -> Configuration:
        """What the minimal configuration says with these sections laid over it."""
        return self.load_text(yaml.safe_dump({**MINIMAL, **(over or {})}, sort_keys=False), **more)

    def refusal(self, over: Mapping[str, Any] | str | bytes, **more: Any) -> InvalidConfiguration:
        """How such a configuration, or such a text, is refused."""
        with self.assertRaises(InvalidConfiguration) as raised:
            if isinstance(over, Mapping):
                self.load(over, **more)
            else:
                self.load_text(over, **more)
        refusal = raised.exception
        assert isinstance(refusal, InvalidConfiguration)
        return refusal

    def problem(self, over: Mapping[str, Any] | str, **more: Any) -> ConfigError:
        """The only thing that is wrong with it."""
        refusal = self.refusal(over, **more)
        self.assertEqual(len(refusal.problems), 1, str(refusal))
        return refusal.problems[0]

    def assert_refused(self, over: Mapping[str, Any] | str, path: str, *words: str, **more: Any) -> None:
        """There is one problem, at this path, and it is said in these words."""
        problem = self.problem(over, **more)
        self.assertEqual(problem.path, path)
        for word in words:
            self.assertIn(word, str(problem))

    def assert_warned(self, over: Mapping[str, Any], *words: str, **more: Any) -> None:
        """One of the warnings has all of these words."""
        warnings = self.load(over, **more).warnings
        self.assertTrue(any(all(word in warning for word in words) for warning in warnings), warnings)
