"""Pages as a browser reads them, for tests."""

from __future__ import annotations

from html.parser import HTMLParser

import attrs

from dextwist.web.http import Response


@attrs.define
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""


class Read(HTMLParser):
    """A page as a browser reads it: elements in order, and all of its words."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response
        self.headers = dict(response.headers)
        self.html = response.body.decode()
        self.elements: list[Element] = []
        self.words: list[str] = []
        self.declarations: list[str] = []
        self._last: Element | None = None
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._last = Element(tag, dict(attrs))
        self.elements.append(self._last)

    def handle_endtag(self, tag: str) -> None:
        self._last = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._last:
            self._last.text += data

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, tag: str, **attributes: str) -> list[Element]:
        return [
            e
            for e in self.elements
            if e.tag == tag and all(e.attributes.get(n) == v for n, v in attributes.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found

    def shape(self) -> list[tuple[str, list[str]]]:
        """What markup there is, whatever the values are."""
        return [(e.tag, sorted(e.attributes)) for e in self.elements]

    def source(self, directive: str) -> list[str]:
        """The sources of a directive of the page's policy."""
        policy = (part.split() for part in self.headers["Content-Security-Policy"].split(";"))
        return next((words[1:] for words in policy if words[0] == directive), [])
