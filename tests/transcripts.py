"""Pages of the documentation whose transcripts are replayed against a daemon.

A page has one ```yaml block, which is laid on the tests' basic configuration, and ```console blocks:

    $ curl -i -u app:app-secret http://127.0.0.1:5556/dex/token -d grant_type=password
    HTTP/1.1 400 Bad Request
    {"error":"invalid_request","error_description":…}

Only curl is run, in a folder of its own where it can keep cookies (`-c jar -b jar`). Without a status line
the status is 200; of header fields, those that are shown are compared. A `…` stands for any part of a text,
or for any value.

`$ACCESS_TOKEN` in a command, or in what is shown, is the `access_token` of the latest answer that had one,
and so for every other member of an answer and every parameter of a `Location`. `$LOCATION` is that address.
`$ FIRST=$REFRESH_TOKEN` keeps a value under another name.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urljoin, urlsplit

import attrs
import yaml

#: What pages call the issuer.
ISSUER = "http://127.0.0.1:5556/dex"
_BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ANY = "…"
_ASSIGNMENT = re.compile(r"([A-Z_]+)=(\S+)")


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
    with tempfile.TemporaryDirectory() as folder:
        for exchange in transcript.exchanges:
            command = Template(_moved(exchange.command, issuer)).substitute(known)
            if assignment := _ASSIGNMENT.fullmatch(command.strip()):
                known[assignment[1]] = assignment[2]
                continue
            answer = _run(command, folder)
            shown = Template(_moved(exchange.shown, issuer)).safe_substitute(known)
            yield from (f"{exchange.command}\n  {each}\n  in {answer}" for each in compared(shown, answer))
            known.update(_learned(answer, issuer))


def _moved(text: str, issuer: str) -> str:
    """The text of a page for the issuer that answers."""
    return text.replace(ISSUER, issuer).replace(quote_plus(ISSUER), quote_plus(issuer))


def _learned(answer: Answer, issuer: str) -> dict[str, str]:
    """What later commands can name."""
    found: dict[str, Any] = {}
    if location := answer.headers.get("location", ""):
        parts = urlsplit(location)
        found = {**dict(parse_qsl(parts.fragment or parts.query)), "location": urljoin(issuer, location)}
    if answer.body.startswith("{"):
        found = json.loads(answer.body)
    return {name.upper(): str(value) for name, value in found.items()}


def _exchanges(console: str) -> Iterator[Exchange]:
    for text in re.split(r"^\$ ", console.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, _, shown = text.partition("\n")
        yield Exchange(command, shown.strip())


def _run(command: str, folder: str) -> Answer:
    argv = shlex.split(command)
    assert argv[0] == "curl", command
    done = subprocess.run(
        ["curl", "--silent", "--include", *argv[1:]],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=folder,
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
    elif not _alike(body, answer.body.strip()):
        yield f"the body is not {body!r}"


def _is_head(line: str) -> bool:
    return bool(line) and not line.startswith("{")


def _alike(shown: Any, found: Any) -> bool:
    if shown == _ANY:
        return found is not None
    if isinstance(shown, str) and _ANY in shown:
        parts = map(re.escape, shown.split(_ANY))
        return isinstance(found, str) and re.fullmatch(".*".join(parts), found, re.DOTALL) is not None
    if isinstance(shown, dict):
        return (
            isinstance(found, dict)
            and list(shown) == list(found)
            and all(_alike(value, found[name]) for name, value in shown.items())
        )
    return bool(shown == found)
