"""Pages of the documentation whose transcripts are replayed against a daemon.

A page has one ```yaml block, which is laid on the tests' basic configuration, and ```console blocks:

    $ curl -i -u app:app-secret http://127.0.0.1:5556/dex/token -d grant_type=password
    HTTP/1.1 400 Bad Request
    {"error":"invalid_request","error_description":…}

Only curl is run. Without a status line the status is 200; of header fields, those that are shown are
compared. A `…` stands for any rest of a text, or for any value. `$ACCESS_TOKEN` in a command is the
`access_token` of the latest answer that had one, and so for every other member.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from string import Template
from typing import Any

import attrs
import yaml

#: What pages call the issuer.
ISSUER = "http://127.0.0.1:5556/dex"
_BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ANY = "…"


@attrs.frozen
class Exchange:
    """A command, and what the page shows of the answer."""

    command: str
    shown: str


@attrs.frozen
class Answer:
    """An HTTP answer, as curl printed it."""

    status: int
    headers: Mapping[str, str]
    body: str

    @classmethod
    def of(cls, printed: str) -> Answer:
        """The parts of `curl -i`'s output."""
        head, _, body = printed.partition("\n\n")
        status_line, *lines = head.split("\n")
        fields = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        return cls(int(status_line.split()[1]), headers, body)


@attrs.frozen
class Transcript:
    """What a page says to configure, and what then happens."""

    config: Mapping[str, Any]
    exchanges: tuple[Exchange, ...]


def read(page: Path) -> Transcript:
    """The transcript of a page."""
    blocks = _BLOCK.findall(page.read_text())
    (config,) = [text for kind, text in blocks if kind == "yaml"]
    consoles = [text for kind, text in blocks if kind == "console"]
    return Transcript(
        yaml.safe_load(config), tuple(each for console in consoles for each in _exchanges(console))
    )


def differences(transcript: Transcript, issuer: str) -> Iterator[str]:
    """Replay the transcript against the daemon; how each answer is not what the page shows."""
    known: dict[str, str] = {}
    for exchange in transcript.exchanges:
        command = Template(exchange.command.replace(ISSUER, issuer)).substitute(known)
        answer = _run(command)
        wrong = [*compared(exchange.shown.replace(ISSUER, issuer), answer)]
        yield from (f"{exchange.command}\n  {each}\n  in {answer}" for each in wrong)
        if answer.body.startswith("{"):
            known.update({name.upper(): str(value) for name, value in json.loads(answer.body).items()})


def _exchanges(console: str) -> Iterator[Exchange]:
    for text in re.split(r"^\$ ", console.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, _, shown = text.partition("\n")
        yield Exchange(command, shown.strip())


def _run(command: str) -> Answer:
    argv = shlex.split(command)
    assert argv[0] == "curl", command
    done = subprocess.run(
        ["curl", "--silent", "--include", *argv[1:]], check=True, capture_output=True, text=True, timeout=30
    )
    return Answer.of(done.stdout.replace("\r\n", "\n"))


def compared(shown: str, answer: Answer) -> Iterator[str]:
    """How the answer is not what is shown."""
    lines = shown.split("\n")
    head = [*takewhile(_is_head, lines)] if shown.startswith("HTTP/") else []
    body = "\n".join(lines[len(head) :]).strip()
    status_line, *fields = head or ["HTTP/1.1 200 OK"]
    if int(status_line.split()[1]) != answer.status:
        yield f"the status is not that of {status_line}"
    for line in fields:
        name, _, value = line.partition(":")
        if not _alike(value.strip(), answer.headers.get(name.lower())):
            yield f"the header field is not {line}"
    if body.startswith("{"):
        wanted = json.loads(re.sub(r":\s*…", f':"{_ANY}"', body))
        if not _alike(wanted, json.loads(answer.body)):
            yield f"the body is not {body}"
    elif body != answer.body.strip():
        yield f"the body is not {body!r}"


def _is_head(line: str) -> bool:
    return bool(line) and not line.startswith("{")


def _alike(shown: Any, found: Any) -> bool:
    if shown == _ANY:
        return found is not None
    if isinstance(shown, str) and shown.endswith(_ANY):
        return isinstance(found, str) and found.startswith(shown.removesuffix(_ANY))
    if isinstance(shown, dict):
        return (
            isinstance(found, dict)
            and list(shown) == list(found)
            and all(_alike(value, found[name]) for name, value in shown.items())
        )
    return bool(shown == found)
