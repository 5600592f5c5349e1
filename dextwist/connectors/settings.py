"""A connector's `config`, read key by key. What is wrong is a ConnectorError that names the key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import attrs

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.trust import UpstreamTrust

#: The keys that `Settings.trust` reads.
TRUST_KEYS = frozenset({"rootCAs", "insecureSkipVerify"})

T = TypeVar("T")


@attrs.frozen
class Settings:
    """The keys of one mapping. A null and an empty text stand for no value: a default takes their place."""

    values: Mapping[str, Any] = attrs.field(repr=False)
    #: what stands before the names of these keys: `claimMapping.`
    path: str = ""

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        return self._value(key, str, "a text; put numbers in quotes") or default

    def given_text(self, key: str) -> str | None:
        """A text that may be empty; None where the key is absent."""
        return self._value(key, str, "a text; put numbers in quotes")

    def required(self, key: str) -> str:
        """A text that must be there."""
        value = self.text(key)
        if not value:
            raise self.wrong(key, "is required")
        return value

    def secret(self, key: str, *, required: bool = True) -> str:
        """A text from this key, or from the file that `...File` names."""
        path = self.text(f"{key}File")
        if not path:
            return self.required(key) if required else self.text(key)
        if self.text(key):
            raise self.wrong(key, f"and {key}File exclude each other")
        return read_text(path).removesuffix("\n").removesuffix("\r")

    def url(self, key: str, default: str = "") -> str:
        """An http or https URL. Required where there is no default."""
        value = self.text(key, default) if default else self.required(key)
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise self.wrong(key, "must be an http or https URL")
        return value

    def choice(self, key: str, choices: Collection[str], default: str = "") -> str:
        """One of these words."""
        value = self.text(key, default)
        if value not in choices and value != default:
            raise self.wrong(key, "must be one of " + ", ".join(choices))
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """true or false."""
        value = self._value(key, bool, "true or false")
        return default if value is None else value

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts that are not empty."""
        values = self._value(key, list, "a list of texts") or ()
        if not all(isinstance(value, str) and value for value in values):
            raise self.wrong(key, "must be a list of texts that are not empty")
        return tuple(values) or default

    def texts_by_name(self, key: str) -> dict[str, str]:
        """Texts under names of the operator's own."""
        values = self._value(key, dict, "a mapping of texts") or {}
        if not all(isinstance(value, str) and value for value in values.values()):
            raise self.wrong(key, "must be a mapping of texts that are not empty")
        return dict(values)

    def section(self, key: str) -> Settings:
        """The keys below this one."""
        values = self._value(key, dict, "a mapping") or {}
        return Settings(values, f"{self.path}{key}.")

    def trust(self) -> UpstreamTrust:
        """Whose certificates are believed."""
        roots = self._value("rootCAs", list, "a list of texts") or ()
        if not all(isinstance(root, str) for root in roots):
            raise self.wrong("rootCAs", "must be a list of texts")
        return UpstreamTrust(root_cas=tuple(roots), insecure_skip_verify=self.flag("insecureSkipVerify"))

    def sections(self, key: str) -> list[Settings]:
        """A list of mappings: the keys of each."""
        values = self._value(key, list, "a list of mappings") or []
        if not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, "must be a list of mappings")
        return [Settings(value, f"{self.path}{key}[{index}].") for index, value in enumerate(values)]

    def wrong(self, key: str, problem: str) -> ConnectorError:
        """An error about this key; never with its value, which may be a secret."""
        return ConnectorError(f"{self.path}{key} {problem}", misconfigured=True)

    def _value(self, key: str, kind: type[T], wanted: str) -> T | None:
        value = self.values.get(key)
        if value is not None and not isinstance(value, kind):
            raise self.wrong(key, f"must be {wanted}")
        return value


def read_text(path: str) -> str:
    """What stands in a file. Raises ConnectorError."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or "it is not UTF-8 text"
        raise ConnectorError(f"cannot read {path}: {reason}") from failure
