"""Whose ticket a browser shows, and who that is in the directory: everything but Kerberos itself."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

import attrs

CHALLENGE = "Negotiate"
#: A SPNEGO token that says no (RFC 4178 §4.2.2: negState reject).
REJECTED = f"{CHALLENGE} oQcwBaADCgEC"
_NTLM = b"NTLMSSP\0"


@attrs.frozen(kw_only=True)
class KerberosSettings:
    """How tickets are accepted."""

    keytab_path: str
    #: the service that tickets have to be for; empty: any of the keytab.
    principal: str = ""
    #: empty: people of every realm that ours trusts.
    expected_realm: str = ""
    #: the user name is the whole principal.
    with_realm: bool = False
    #: whoever has no ticket may use a password.
    fallback_to_password: bool = False


@attrs.frozen(kw_only=True)
class AcceptedTicket:
    """Whose ticket it was."""

    name: str
    realm: str
    #: in base64: what proves to the browser that we are who it thinks.
    reply: str = attrs.field(default="", repr=False)


@attrs.frozen(eq=False)
class TicketRefused(Exception):
    """The ticket does not count; the text is for the log."""

    reason: str

    def __str__(self) -> str:
        return self.reason


class Tickets(Protocol):
    """Accepts tickets."""

    async def accept(self, token: bytes) -> AcceptedTicket:
        """Whose ticket it is. Raises TicketRefused."""


def offered_token(authorization: str) -> bytes | None:
    """The token of an Authorization header; None where none is offered. Raises TicketRefused."""
    scheme, _, text = authorization.strip().partition(" ")
    if scheme.lower() != "negotiate" or not text.strip():
        return None
    try:
        token = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise TicketRefused("the token is not base64") from None
    if token.startswith(_NTLM):
        raise TicketRefused("it is a token of NTLM")
    return token


def username_of(ticket: AcceptedTicket, *, with_realm: bool) -> str:
    """The user name that belongs to a ticket, in the letter case of the ticket."""
    name = ticket.name.partition("@")[0]
    return f"{name}@{ticket.realm}" if with_realm and ticket.realm else name
