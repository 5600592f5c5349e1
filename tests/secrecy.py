"""No log may hold a secret (WB-15): the harnesses note every secret that they use, the logs are searched.

A daemon in a process of its own has its log in a file; the events of those in this process are written by
`every_event`, at debug level and in both formats. `tests.run` searches all of them after the last test.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
from twisted.logger import LogLevel, globalLogPublisher

from dextwist.model.keys import Keys
from dextwist.telemetry.logs import FORMATS, LogFile, RecordObserver
from dextwist.tokens.refresh_tokens import parse_refresh_token

#: What secrets are called in forms, queries, redirects and JSON.
KINDS = {
    "access_token": "access token",
    "actor_token": "token to be exchanged",
    "client_assertion": "client assertion",
    "client_secret": "client secret",
    "code": "authorization code",
    "code_verifier": "code verifier",
    "device_code": "device code",
    "hmac": "step proof",
    "id_token": "ID token",
    "id_token_hint": "ID token",
    "password": "password",
    "refresh_token": "refresh token",
    "subject_token": "token to be exchanged",
    "token": "token",
}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: A shorter text, or a plain word, may be in a log for other reasons.
_TELLING_LENGTH = 8


@attrs.frozen
class Leak:
    """A secret that a log shows."""

    kind: str
    log: Path
    #: the line, without the secret.
    line: str

    def __str__(self) -> str:
        return f"{self.log} shows a secret ({self.kind}): {self.line}"


@attrs.define
class Watch:
    """Secrets by their kind, and the logs that must not show them."""

    _kinds: dict[str, str] = attrs.field(factory=dict)
    _logs: dict[Path, None] = attrs.field(factory=dict)

    def note(self, kind: str, secret: object) -> None:
        """Remember a secret that a log could show; one that is no telling text is left out."""
        if isinstance(secret, str) and len(secret) >= _TELLING_LENGTH and not secret.isalpha():
            self._kinds[secret] = kind

    def note_fields(self, fields: Mapping[str, Any]) -> None:
        """Remember those of the parameters, or of the members of an object, that are secret by name."""
        for name, value in fields.items():
            if name in KINDS:
                self.note(KINDS[name], value)
            if name == "refresh_token" and isinstance(value, str):
                self.note("secret of a refresh token", parse_refresh_token(value)[1])

    def note_url(self, url: str) -> None:
        """Remember the secrets in a URL's query and fragment."""
        parts = urlsplit(url)
        for params in (parts.query, parts.fragment):
            self.note_fields(dict(parse_qsl(params)))

    def note_request(self, url: str, *, authorization: str = "", body: str = "") -> None:
        """Remember the secrets of a request; its body counts as a form."""
        self.note_url(url)
        self.note("credentials", authorization.partition(" ")[2])
        self.note_fields(dict(parse_qsl(body)))

    def note_answer(self, *, location: str = "", cookies: Iterable[str] = (), body: str = "") -> None:
        """Remember the secrets of an answer; `cookies` are Set-Cookie fields, the body may be JSON."""
        self.note_url(location)
        for cookie in cookies:
            self.note("cookie", cookie.partition(";")[0].partition("=")[2])
        if body.startswith("{"):
            with contextlib.suppress(ValueError):
                self.note_fields(json.loads(body))

    def note_config(self, config: Mapping[str, Any]) -> None:
        """Remember the secrets of a configuration of dex's."""
        for client in config.get("staticClients") or ():
            self.note("client secret", client.get("secret"))
        for user in config.get("staticPasswords") or ():
            self.note("password hash", user.get("hash"))

    def note_keys(self, keys: Keys) -> None:
        """Remember the private halves of the signing keys."""
        for pair in (keys.signing_key, keys.next_key):
            if pair is not None:
                self.note("signing key", pair.private.get("d"))

    def note_log(self, path: Path) -> None:
        """Remember a log that is to be searched."""
        self._logs[path] = None

    def leaks(self, logs: Iterable[Path] | None = None) -> list[Leak]:
        """Every secret that is in one of the logs, or of these, once a log."""
        found = []
        for log in self._logs if logs is None else logs:
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            # Words repeat, so this is far less to search than the log itself.
            words = "\n".join(
                {spelling for line in lines for word in line.split() for spelling in _read(word)}
            )
            for secret, kind in self._kinds.items():
                shown = next((part for part in _searched_for(secret) if part in words), None)
                if shown is not None:
                    line = next(line for line in lines if any(shown in spelled for spelled in _read(line)))
                    found.append(Leak(kind, log, unquote(line).replace(shown, "...")))
        return found


def _read(text: str) -> tuple[str, ...]:
    """Text of a log as it is, and as it reads once percent-encoding is undone. Request ids tell nothing."""
    text = _UUID.sub("", text)
    return (text, unquote(text)) if "%" in text else (text,)


def _searched_for(secret: str) -> set[str]:
    """What of a secret a log has as one word: its longest part without blanks, as it is and quoted."""
    spellings = (secret, json.dumps(secret, ensure_ascii=False)[1:-1])
    parts = {max(spelling.split(), key=len, default="") for spelling in spellings}
    return {part for part in parts if len(part) >= _TELLING_LENGTH}


@contextlib.contextmanager
def every_event(folder: Path) -> Iterator[list[Path]]:
    """Has all events of this process written into `folder`, as the daemon would at debug level."""
    files = {name: LogFile(folder / f"events.{name}") for name in FORMATS}
    observers = [
        RecordObserver(write=files[name].write, line=line, threshold=LogLevel.debug)
        for name, line in FORMATS.items()
    ]
    for observer in observers:
        globalLogPublisher.addObserver(observer)
    try:
        yield [file.path for file in files.values()]
    finally:
        for observer in observers:
            globalLogPublisher.removeObserver(observer)


#: What the tests of this process use.
WATCH = Watch()
