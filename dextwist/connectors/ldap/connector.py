"""The connector of type `ldap`: an entry of the directory becomes an identity."""

from __future__ import annotations

import json
import re
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any, ClassVar, TypeVar

import attrs
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.connectors.interface import (
    ClosableConnector,
    ConnectorError,
    ConnectorScopes,
    Identity,
    IdentityGone,
    LoginRefused,
    NegotiatingConnector,
    Negotiation,
    PasswordConnector,
    RefreshConnector,
)
from dextwist.connectors.ldap.answers import Entry
from dextwist.connectors.ldap.config import KEYS, Settings, read_settings
from dextwist.connectors.ldap.connection import ConnectionBroken, LdapRefusal
from dextwist.connectors.ldap.directory import Directory
from dextwist.connectors.ldap.hosts import HostChoice, ListedHosts, LocatedHosts, lookup_service
from dextwist.connectors.ldap.pool import DirectoryPool
from dextwist.connectors.ldap.tickets import (
    CHALLENGE,
    REJECTED,
    KerberosSettings,
    TicketRefused,
    Tickets,
    offered_token,
    username_of,
)
from dextwist.connectors.ldap.transport import Transport
from dextwist.connectors.ldap.values import comparable_dn, id_text, plain_text
from dextwist.connectors.ldap.verdict import Outcome, verdict
from dextwist.connectors.registry import ConnectorContext, ConnectorType
from dextwist.model.claims import Claims

T = TypeVar("T")

#: Bytes of a user name or a password; what is longer is wrong without a look.
LONGEST_INPUT = 1024
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2})")


@attrs.frozen(kw_only=True)
class _Remembered:
    """What is kept of a login for its refreshes."""

    username: str
    dn: bytes
    #: dex kept user names escaped for a filter, and left no sign of it.
    maybe_escaped: bool = False


@attrs.frozen(kw_only=True)
class LdapConnector(PasswordConnector, NegotiatingConnector, RefreshConnector, ClosableConnector):
    """Logs in whom a directory knows."""

    log: ClassVar[Logger] = Logger()

    connector_id: str
    settings: Settings
    directory: Directory
    clock: IReactorTime
    #: None: nobody is asked for a ticket.
    tickets: Tickets | None = None

    @property
    def prompt(self) -> str:
        """What the operator calls a user name."""
        return self.settings.username_prompt

    async def login(self, scopes: ConnectorScopes, username: str, password: str) -> Identity | None:
        """The person whose entry accepts the password.

        Raises LoginRefused where the password has expired and people are to be told, ConnectorError and
        Overloaded.
        """
        # A bind without a password succeeds, as nobody (RFC 4513 §5.1.2).
        if not password or not _is_usable(username) or not _is_usable(password):
            return None
        return await self._answer(self._logged_in(scopes, username, password))

    async def _logged_in(self, scopes: ConnectorScopes, username: str, password: str) -> Identity | None:
        person = await self.directory.person(username)
        result = await self.directory.try_password(person, password)
        if person is None or result is None:
            self._tell(username, "there is no such user")
            return None
        said = verdict(result)
        if said.outcome is Outcome.ERROR:
            raise ConnectorError(f"bind as {_shown(person)}: {said.reason}")
        if said.outcome is not Outcome.ACCEPTED:
            self._tell(username, said.reason, dn=_shown(person))
            if said.outcome is Outcome.EXPIRED and self.settings.expired_password_message:
                raise LoginRefused(_shown(person), message=self.settings.expired_password_message)
            return None
        return await self._identity(scopes, username, person)

    def _tell(self, username: str, reason: str, **more: str) -> None:
        self.log.info(
            "ldap: password not accepted: {reason}",
            reason=reason,
            username=username,
            connector_id=self.connector_id,
            **more,
        )

    async def negotiate(self, scopes: ConnectorScopes, negotiation: Negotiation) -> Identity | None:
        """The person whose ticket the browser shows. Raises ConnectorError and Overloaded."""
        kerberos = self.settings.kerberos
        if self.tickets is None or kerberos is None:
            return None
        return await self._answer(self._negotiated(scopes, negotiation, kerberos, self.tickets))

    async def _negotiated(
        self, scopes: ConnectorScopes, negotiation: Negotiation, kerberos: KerberosSettings, tickets: Tickets
    ) -> Identity | None:
        fallback = negotiation.with_form = kerberos.fallback_to_password
        try:
            token = offered_token(negotiation.authorization)
            if token is None:
                asked_in_vain = fallback and negotiation.asked_before
                negotiation.challenge = "" if asked_in_vain else CHALLENGE
                return None
            ticket = await tickets.accept(token)
        except TicketRefused as refused:
            self._tell_of_ticket(str(refused))
            negotiation.challenge = "" if fallback else REJECTED
            return None
        if kerberos.expected_realm.lower() not in ("", ticket.realm.lower()):
            self._tell_of_ticket(f"{ticket.name} is of the realm {ticket.realm}")
            negotiation.challenge = "" if fallback else CHALLENGE
            return None
        username = username_of(ticket, with_realm=kerberos.with_realm)
        person = await self.directory.person(username) if username and _is_usable(username) else None
        if person is None:
            problem = f"the directory has no user {username!r}, whose ticket was shown"
            if not fallback:
                raise ConnectorError(problem)
            self._tell_of_ticket(problem)
            return None
        negotiation.challenge = f"{CHALLENGE} {ticket.reply}"
        return await self._identity(scopes, username, person)

    def _tell_of_ticket(self, reason: str) -> None:
        self.log.info("ldap: ticket not accepted: {reason}", reason=reason, connector_id=self.connector_id)

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        """The person as the directory has them now. Raises IdentityGone, ConnectorError and Overloaded."""
        return await self._answer(self._refreshed(scopes, identity))

    async def _refreshed(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        kept = _remembered(identity.connector_data)
        person = await self.directory.person(kept.username)
        if person is None and kept.maybe_escaped:
            person = await self.directory.person(_unescaped(kept.username))
        if person is None:
            raise IdentityGone("the directory has no such user any more")
        if comparable_dn(person.dn) != comparable_dn(kept.dn):
            raise IdentityGone(f"the user name belongs to {_shown(person)} now")
        fresh = await self._identity(scopes, kept.username, person)
        if fresh.claims.user_id != identity.claims.user_id:
            raise IdentityGone(f"the user id of {_shown(person)} is another one now")
        return attrs.evolve(fresh, connector_data=identity.connector_data)

    async def close(self) -> None:
        """Close the connections that are kept."""
        self.directory.pool.close()

    async def _answer(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work gives in the time that a login may take; ConnectorError where it gives nothing."""
        limit = self.settings.login_time_limit
        doing = Deferred.fromCoroutine(work)
        try:
            return await doing.addTimeout(limit, self.clock)
        except defer.TimeoutError:
            reason = f"the directory did not do its work within {limit:g} s"
            raise ConnectorError(reason, timed_out=True) from None
        except ConnectionBroken as broken:
            unreachable = not broken.timed_out
            reason = f"the directory: {broken}"
            raise ConnectorError(reason, timed_out=broken.timed_out, unreachable=unreachable) from broken
        except LdapRefusal as refusal:
            raise ConnectorError(f"the directory: {refusal}") from refusal

    # -- an entry as an identity

    async def _identity(self, scopes: ConnectorScopes, username: str, person: Entry) -> Identity:
        claims = self._claims(person)
        if scopes.groups:
            claims = attrs.evolve(claims, groups=await self.directory.groups_of(person))
        data = b""
        if scopes.offline_access:
            dn = person.dn.decode("utf-8", "surrogateescape")
            data = json.dumps({"username": username, "dn": dn}).encode("ascii")
        told = {name: _texts(person.values(name)) for name in self.directory.user_attributes()}
        return Identity(claims=claims, connector_data=data, upstream_claims=told)

    def _claims(self, person: Entry) -> Claims:
        users = self.settings.users
        missing: list[str] = []

        def text(attribute: str) -> str:
            found = next((plain_text(value) for value in person.values(attribute)[:1]), None)
            if attribute and not found:
                missing.append(attribute)
            return found or ""

        ids = person.values(users.id_attr)[:1]
        user_id = id_text(users.id_attr, ids[0]) if ids else ""
        if not user_id:
            missing.append(users.id_attr)
        name, preferred = text(users.name_attr), text(users.preferred_username_attr)
        email = f"{name}@{users.email_suffix}" if users.email_suffix else text(users.email_attr)
        if missing:
            raise ConnectorError(f"{_shown(person)} lacks {', '.join(dict.fromkeys(missing))}")
        return Claims(
            user_id=user_id,
            username=name,
            preferred_username=preferred,
            email=email,
            email_verified=True,
        )


def _is_usable(typed: str) -> bool:
    try:
        return len(typed) <= LONGEST_INPUT and len(typed.encode()) <= LONGEST_INPUT
    except UnicodeEncodeError:
        return False


def _texts(values: tuple[bytes, ...]) -> str | list[str]:
    """The values that are texts: one as it is, another number of them as a list."""
    texts = [text for text in map(plain_text, values) if text is not None]
    return texts[0] if len(texts) == 1 else texts


def _shown(person: Entry) -> str:
    return person.dn.decode("utf-8", "replace")


def _remembered(data: bytes) -> _Remembered:
    try:
        found = json.loads(data)
        old = "dn" not in found
        username, dn = found["username"], found["entry"]["DN"] if old else found["dn"]
    except (ValueError, TypeError, KeyError):
        username = dn = None
    if not isinstance(username, str) or not isinstance(dn, str):
        raise IdentityGone("what was kept of the login cannot be read")
    return _Remembered(username=username, dn=dn.encode("utf-8", "surrogateescape"), maybe_escaped=old)


def _unescaped(username: str) -> str:
    plain = _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), username.encode())
    return plain.decode("utf-8", "replace")


async def _open(connector_id: str, config: Mapping[str, Any], context: ConnectorContext) -> LdapConnector:
    clock, reactor = context.clock, context.reactor
    try:
        settings = read_settings(config)
        kerberos = settings.kerberos
        tickets = _tickets(connector_id, kerberos, reactor) if kerberos else None
    except ConnectorError as error:
        raise attrs.evolve(error, misconfigured=True) from None
    for remark in settings.remarks:
        _log.warn("connector {connector_id}: {remark}", connector_id=connector_id, remark=remark)
    source: ListedHosts | LocatedHosts = ListedHosts(settings.hosts)
    if settings.srv_service:
        lookup = partial(lookup_service, reactor, context.name_servers)
        source = LocatedHosts(service=settings.srv_service, clock=clock, lookup=lookup)
    pool = DirectoryPool(
        transport=Transport(reactor=reactor, security=settings.security, tls=settings.tls),
        choice=HostChoice(source=source, clock=clock),
        account=settings.account,
        clock=clock,
        limits=settings.limits,
        asked=lambda host, result, seconds: context.metrics.upstream_answered(
            connector_id=connector_id, operation=host, result=result, seconds=seconds
        ),
    )
    return LdapConnector(
        connector_id=connector_id,
        settings=settings,
        directory=Directory(pool=pool, users=settings.users, groups=settings.groups),
        clock=clock,
        tickets=tickets,
    )


def _tickets(connector_id: str, settings: KerberosSettings, reactor: Any) -> Tickets | None:
    """What accepts tickets; None where that cannot be and a password will do. Raises ConnectorError."""
    try:
        if not settings.keytab_path:
            raise ConnectorError("kerberos.keytabPath is required")
        try:
            from dextwist.connectors.ldap.kerberos import open_keytab
        except ImportError as error:
            raise ConnectorError(f"kerberos: dextwist[kerberos] is not installed ({error})") from None
        return open_keytab(settings, reactor)
    except ConnectorError as error:
        if not settings.fallback_to_password:
            raise
        _log.warn(
            "connector {connector_id}: nobody can log in with a ticket: {reason}",
            connector_id=connector_id,
            reason=str(error),
        )
        return None


_log = Logger()
LDAP = ConnectorType(name="ldap", open=_open, config_keys=KEYS)
