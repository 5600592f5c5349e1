"""A person's browser without JavaScript: it keeps cookies, follows redirects and submits forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import attrs
from treq.client import HTTPClient
from twisted.internet import reactor
from twisted.web.client import Agent
from twisted.web.http_headers import Headers

from tests.secrecy import WATCH


@attrs.define
class Form:
    """A form of a page."""

    action: str
    method: str = "GET"
    fields: dict[str, str] = attrs.field(factory=dict)


class _Reader(HTMLParser):
    """Collects forms, links and text."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form":
            action = urljoin(self.url, found.get("action") or self.url)
            self.forms.append(Form(action, found.get("method", "get").upper()))
        elif tag == "input" and "name" in found and self.forms:
            self.forms[-1].fields[found["name"]] = found.get("value", "")
        elif tag == "a":
            self.links.append(urljoin(self.url, found.get("href", "")))

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def forms_of(url: str, page: str) -> list[Form]:
    """The forms of a page that another browser has got."""
    reader = _Reader(url)
    reader.feed(page)
    return reader.forms


def links_of(url: str, page: str) -> list[str]:
    """Where the links of such a page lead."""
    reader = _Reader(url)
    reader.feed(page)
    return reader.links


@attrs.frozen(kw_only=True)
class Page:
    """What the browser shows, or the answer at which it was told to stop."""

    status: int
    url: str
    headers: Headers
    body: bytes
    forms: Sequence[Form] = ()
    links: Sequence[str] = ()
    text: str = ""

    def header(self, name: str) -> str | None:
        """The first value of a header field."""
        values = self.headers.getRawHeaders(name)
        return values[0] if values else None

    @property
    def location(self) -> str:
        """Where the answer sends the browser; empty for nowhere."""
        return urljoin(self.url, self.header("location") or "") if self.header("location") else ""

    def form(self, field: str, value: str | None = None) -> Form:
        """The first form with that field, and that value where one is given."""
        for form in self.forms:
            if field in form.fields and value in (None, form.fields[field]):
                return form
        raise LookupError(f"no form with {field} at {self.url} ({self.status}): {self.text[:300]}")

    def link(self, path: str) -> str:
        """The first link to that path."""
        for link in self.links:
            if urlsplit(link).path.endswith(path):
                return link
        raise LookupError(f"no link to {path} at {self.url} ({self.status}): {self.text[:300]}")


@attrs.frozen
class AtClient:
    """The browser arrived at the client, with these parameters."""

    url: str
    params: Mapping[str, str]


@attrs.define
class Browser:
    """One browser. It never visits a client: arriving there ends the walk."""

    _http: HTTPClient = attrs.field(init=False)
    cookies: dict[str, str] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._http = HTTPClient(Agent(reactor))

    async def request(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, str] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        """One request; redirects are not followed."""
        fields = Headers({name: [value] for name, value in (headers or {}).items()})
        if self.cookies:
            fields.addRawHeader("Cookie", "; ".join(f"{n}={v}" for n, v in self.cookies.items()))
        body: Any = data
        if isinstance(data, Mapping):
            body = urlencode(data).encode()
        if body is not None and not fields.hasHeader("content-type"):
            fields.addRawHeader("Content-Type", "application/x-www-form-urlencoded")
        WATCH.note_request(
            url,
            authorization=(fields.getRawHeaders("authorization") or [""])[0],
            body=(body or b"").decode("latin-1"),
        )
        response = await self._http.request(method, url, data=body, headers=fields, allow_redirects=False)
        content = await response.content()
        cookies = response.headers.getRawHeaders("set-cookie", [])
        location = (response.headers.getRawHeaders("location") or [""])[0]
        WATCH.note_answer(location=location, cookies=cookies, body=content.decode("latin-1"))
        for cookie in cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        reader = _Reader(url)
        if "html" in (response.headers.getRawHeaders("content-type") or [""])[0]:
            reader.feed(content.decode())
        return Page(
            status=response.code,
            url=url,
            headers=response.headers,
            body=content,
            forms=reader.forms,
            links=reader.links,
            text=" ".join(reader.words),
        )

    async def visit(
        self, url: str, method: str = "GET", data: Mapping[str, str] | bytes | None = None
    ) -> Page | AtClient:
        """Go there and follow where it leads, up to a page or a client."""
        page = await self.request(method, url, data=data)
        for _ in range(10):
            target = page.location
            if not target or page.status not in (302, 303):
                return page
            if urlsplit(target).netloc != urlsplit(url).netloc:
                parts = urlsplit(target)
                return AtClient(
                    target, dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True))
                )
            page = await self.request("GET", target)
        raise AssertionError(f"too many redirects from {url}")

    async def submit(self, page: Page, form: Form, **typed: str) -> Page | AtClient:
        """Fill in the form and send it."""
        return await self.visit(form.action, form.method, {**form.fields, **typed})
