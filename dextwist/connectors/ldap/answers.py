"""What a directory sends (RFC 4511), read strictly and in time that grows with its length alone.

Whoever answers may be anybody, until TLS has said who it is, and even then may be broken.
"""

from __future__ import annotations

import attrs

SUCCESS = 0
SIZE_LIMIT_EXCEEDED = 4
REFERRAL = 10
CONSTRAINT_VIOLATION = 19
NO_SUCH_OBJECT = 32
INVALID_CREDENTIALS = 49
BUSY = 51
UNAVAILABLE = 52
UNWILLING_TO_PERFORM = 53

#: what an answer answers, by the tag of the operation.
BIND, ENTRY, SEARCH_DONE, REFERENCE, EXTENDED = 0x61, 0x64, 0x65, 0x73, 0x78

_INTEGER, _OCTETS, _ENUMERATED, _BOOLEAN, _SEQUENCE, _SET = 0x02, 0x04, 0x0A, 0x01, 0x30, 0x31
_CONTROLS = 0xA0
#: A single message beyond this is refused. A person in many groups may have some hundred kB.
LONGEST_MESSAGE = 4 * 2**20


class Unreadable(Exception):
    """These bytes are no answer of a directory."""


@attrs.frozen
class Entry:
    """An entry of the directory, with the attributes that were asked for."""

    dn: bytes
    attributes: tuple[tuple[str, tuple[bytes, ...]], ...]

    def values(self, name: str) -> tuple[bytes, ...]:
        """All values of an attribute, whose name has no letter case; `dn` is the entry's own name."""
        wanted = name.lower()
        for attribute, values in self.attributes:
            if attribute.lower() == wanted:
                return values
        return (self.dn,) if wanted == "dn" else ()


@attrs.frozen
class Result:
    """How an operation ended."""

    code: int
    #: for the log alone.
    diagnostic: str


@attrs.frozen
class BindResult(Result):
    """How a bind ended, and the error of the password policy, where the server has one."""

    policy_error: int | None = None


@attrs.frozen
class Answer:
    """One message."""

    message_id: int
    operation: int
    #: None where there is nothing of interest in it.
    content: Entry | Result | None
    controls: dict[bytes, bytes]


def message_length(received: bytes | bytearray) -> int | None:
    """How long the message is that begins here; None as long as that is not known. Raises Unreadable."""
    if received[:1] not in (b"", b"\x30"):
        raise Unreadable("this is not LDAP")
    if len(received) < 2 or len(received) < 2 + (received[1] & 0x7F if received[1] & 0x80 else 0):
        return None
    _, start, length = _header(received, 0)
    if length > LONGEST_MESSAGE:
        raise Unreadable(f"a message of {length} bytes")
    return start + length


def read_answer(message: bytes) -> Answer:
    """The message. Raises Unreadable."""
    whole = _Part(message, 0, len(message)).take(_SEQUENCE)
    message_id = whole.integer(_INTEGER)
    operation, part = whole.any()
    content: Entry | Result | None = None
    if operation == ENTRY:
        content = _entry(part)
    elif operation in (BIND, SEARCH_DONE, EXTENDED):
        content = _result(part)
    elif operation != REFERENCE:
        raise Unreadable(f"an answer of the unknown kind {operation:#x}")
    return Answer(message_id, operation, content, _controls(whole))


def _result(part: _Part) -> Result:
    code = part.integer(_ENUMERATED)
    part.take(_OCTETS)
    diagnostic = part.octets().decode("utf-8", "replace")
    # On one line, and without the zero byte at the end of what Active Directory says.
    return Result(code, " ".join(diagnostic.replace("\0", " ").split()))


def _entry(part: _Part) -> Entry:
    dn, attributes = part.octets(), part.take(_SEQUENCE)
    found = []
    while attributes.more:
        attribute = attributes.take(_SEQUENCE)
        name, values = attribute.octets().decode("utf-8", "replace"), attribute.take(_SET)
        found.append((name, tuple(values.all_octets())))
    return Entry(dn, tuple(found))


def _controls(whole: _Part) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    if whole.more:
        controls = whole.take(_CONTROLS)
        while controls.more:
            control = controls.take(_SEQUENCE)
            name = control.octets()
            if control.next_tag == _BOOLEAN:
                control.any()
            found[name] = control.octets() if control.more else b""
    return found


def page_cookie(value: bytes) -> bytes:
    """Where the next page begins, from the control of the page before (RFC 2696); empty after the last."""
    part = _Part(value, 0, len(value)).take(_SEQUENCE)
    part.integer(_INTEGER)
    return part.octets()


def password_policy_error(value: bytes) -> int | None:
    """The error in a password policy's response (draft-behera-ldap-password-policy §6.2); None for none."""
    part = _Part(value, 0, len(value)).take(_SEQUENCE)
    while part.more:
        tag, inner = part.any()
        if tag == 0x81:
            return int.from_bytes(inner.raw, "big")
    return None


def _header(data: bytes | bytearray, at: int) -> tuple[int, int, int]:
    """The tag of the element that begins here, where its content begins, and how long that is."""
    tag, length = data[at], data[at + 1]
    at += 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise Unreadable("a length that LDAP does not have")
        length = int.from_bytes(data[at : at + count], "big")
        at += count
    return tag, at, length


@attrs.define
class _Part:
    """A stretch of elements, taken one after the other; nothing is copied but values."""

    data: bytes
    at: int
    end: int

    @property
    def more(self) -> bool:
        return self.at < self.end

    @property
    def next_tag(self) -> int | None:
        return self.data[self.at] if self.more else None

    @property
    def raw(self) -> bytes:
        return self.data[self.at : self.end]

    def any(self) -> tuple[int, _Part]:
        """The next element: its tag and what is in it."""
        if self.end - self.at < 2:
            raise Unreadable("an element is missing")
        tag, start, length = _header(self.data, self.at)
        if start + length > self.end:
            raise Unreadable("an element that ends after what it is in")
        self.at = start + length
        return tag, _Part(self.data, start, start + length)

    def take(self, wanted: int) -> _Part:
        """What is in the next element, which has this tag."""
        tag, part = self.any()
        if tag != wanted:
            raise Unreadable(f"{tag:#x} in place of {wanted:#x}")
        return part

    def integer(self, wanted: int) -> int:
        raw = self.take(wanted).raw
        if not 1 <= len(raw) <= 8:
            raise Unreadable("a number that LDAP does not have")
        return int.from_bytes(raw, "big", signed=True)

    def octets(self) -> bytes:
        return self.take(_OCTETS).raw

    def all_octets(self) -> list[bytes]:
        found = []
        while self.more:
            found.append(self.octets())
        return found
