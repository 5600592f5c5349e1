"""Requests as bytes (RFC 4511): the one module that knows ldaptor.

Only its encoding is used. Its decoding takes time with the square of the length, and its client neither
verifies TLS nor ever gives up; `answers` and `connection` stand in for them.
"""

from __future__ import annotations

from typing import Any

import attrs
from ldaptor.protocols import pureber, pureldap

from dextwist.connectors.ldap.filters import (
    And,
    Comparison,
    Extensible,
    Filter,
    Not,
    Or,
    Present,
    Substrings,
)

#: RFC 2696: a result in pages.
PAGED_RESULTS = b"1.2.840.113556.1.4.319"
#: draft-behera-ldap-password-policy §6: say why a password is not accepted.
PASSWORD_POLICY = b"1.3.6.1.4.1.42.2.27.8.5.1"
#: asks for no attributes at all (RFC 4511 §4.5.1.8).
NO_ATTRIBUTES = ("1.1",)

_SCOPES = {
    "base": pureldap.LDAP_SCOPE_baseObject,
    "one": pureldap.LDAP_SCOPE_singleLevel,
    "sub": pureldap.LDAP_SCOPE_wholeSubtree,
}
_COMPARISONS = {
    "=": pureldap.LDAPFilter_equalityMatch,
    ">=": pureldap.LDAPFilter_greaterOrEqual,
    "<=": pureldap.LDAPFilter_lessOrEqual,
    "~=": pureldap.LDAPFilter_approxMatch,
}


@attrs.frozen(kw_only=True)
class Search:
    """What is looked for, and where."""

    #: a DN as it is written, or as the directory gave it.
    base: str | bytes
    condition: Filter
    attributes: tuple[str, ...]
    #: `sub`, `one` or `base`.
    scope: str = "sub"
    #: how many entries the server shall give at most; 0: as many as there are.
    size_limit: int = 0


@attrs.frozen(kw_only=True)
class Page:
    """A part of a result."""

    size: int
    #: what the server said after the page before; empty at the first.
    cookie: bytes = b""


def bind_request(message_id: int, name: bytes, password: bytes) -> bytes:
    """A simple bind (§4.2) that asks for the reasons of the password policy."""
    request = pureldap.LDAPBindRequest(dn=name, auth=password)
    return _message(message_id, request, [(PASSWORD_POLICY, False, None)])


def search_request(message_id: int, search: Search, page: Page | None = None) -> bytes:
    """A search (§4.5), of one page where that is asked for. Aliases are not followed."""
    request = pureldap.LDAPSearchRequest(
        baseObject=search.base,
        scope=_SCOPES[search.scope],
        derefAliases=pureldap.LDAP_DEREF_neverDerefAliases,
        sizeLimit=search.size_limit,
        filter=_filter(search.condition),
        attributes=search.attributes,
    )
    return _message(message_id, request, [(PAGED_RESULTS, False, _page(page))] if page else None)


def start_tls_request(message_id: int) -> bytes:
    """The wish to speak TLS from here on (§4.14)."""
    return _message(message_id, pureldap.LDAPStartTLSRequest())


def unbind_request(message_id: int) -> bytes:
    """The end of the connection, without an answer (§4.3)."""
    return _message(message_id, pureldap.LDAPUnbindRequest())


def _message(message_id: int, request: Any, controls: list[tuple[bytes, bool, Any]] | None = None) -> bytes:
    written: bytes = pureldap.LDAPMessage(request, controls=controls, id=message_id).toWire()
    return written


def _page(page: Page) -> bytes:
    value = pureber.BERSequence([pureber.BERInteger(page.size), pureber.BEROctetString(page.cookie)])
    written: bytes = value.toWire()
    return written


def _filter(condition: Filter) -> Any:
    match condition:
        case And(parts):
            return pureldap.LDAPFilter_and(map(_filter, parts))
        case Or(parts):
            return pureldap.LDAPFilter_or(map(_filter, parts))
        case Not(part):
            return pureldap.LDAPFilter_not(_filter(part))
        case Comparison(attribute, operator, value):
            return _COMPARISONS[operator](
                attributeDesc=pureldap.LDAPAttributeDescription(attribute),
                assertionValue=pureldap.LDAPAssertionValue(value),
            )
        case Present(attribute):
            return pureldap.LDAPFilter_present(attribute)
        case Substrings(attribute, initial, middle, final):
            pieces: list[Any] = [pureldap.LDAPFilter_substrings_initial(initial)] if initial else []
            pieces += map(pureldap.LDAPFilter_substrings_any, middle)
            pieces += [pureldap.LDAPFilter_substrings_final(final)] if final else []
            return pureldap.LDAPFilter_substrings(type=attribute, substrings=pieces)
        case Extensible(attribute, dn_attributes, rule, value):
            return pureldap.LDAPFilter_extensibleMatch(
                matchingRule=rule or None,
                type=attribute or None,
                matchValue=value,
                dnAttributes=dn_attributes or None,
            )
