"""The settings of an LDAP connector: every key, its rule and its default."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.ldap.filters import (
    Comparison,
    Extensible,
    Filter,
    FilterMistake,
    comparing,
    parse_filter,
)
from dextwist.connectors.ldap.hosts import Host, parse_host
from dextwist.connectors.ldap.pool import Account, Limits
from dextwist.connectors.ldap.tickets import KerberosSettings
from dextwist.connectors.ldap.transport import (
    CertificateProblem,
    Security,
    TLSSettings,
    client_pair,
    trust_root_of_data,
    trust_root_of_file,
)
from dextwist.connectors.settings import Settings as Keys

T = TypeVar("T")

#: Settings that are less safe, and why.
_WEAKENINGS = {
    "insecureNoSSL": "passwords cross the network in clear text",
    "insecureSkipVerify": "whoever stands between is taken for the directory",
}
_MATCHER_KEYS = ("userAttr", "groupAttr", "recursionGroupAttr")
KEYS = frozenset(
    {
        *("host", "hosts", "srvDomain", "insecureNoSSL", "insecureSkipVerify", "startTLS"),
        *("rootCA", "rootCAData", "clientCert", "clientKey", "bindDN", "bindPW", "bindPWFile"),
        *("connectTimeout", "operationTimeout", "loginTimeout", "idleTimeout", "maxConnections"),
        *("usernamePrompt", "expiredPasswordMessage"),
        *(f"userSearch.{key}" for key in ("baseDN", "filter", "scope", "username", "idAttr", "emailAttr")),
        *(f"userSearch.{key}" for key in ("nameAttr", "preferredUsernameAttr", "emailSuffix", "extraAttrs")),
        *(f"groupSearch.{key}" for key in ("baseDN", "filter", "scope", "nameAttr", *_MATCHER_KEYS)),
        *(f"groupSearch.userMatchers.{key}" for key in _MATCHER_KEYS),
        *(f"kerberos.{key}" for key in ("enabled", "keytabPath", "spn", "keytabPrincipal", "maxClockSkew")),
        *(f"kerberos.{key}" for key in ("expectedRealm", "usernameFromPrincipal", "fallbackToPassword")),
    }
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


@attrs.frozen(kw_only=True)
class UserSearch:
    """How a person is found, and what is read about them."""

    base_dn: str
    condition: Filter | None
    #: each compared with what was typed.
    username: tuple[Comparison | Extensible, ...]
    scope: str
    id_attr: str
    email_attr: str
    name_attr: str
    preferred_username_attr: str
    email_suffix: str
    #: read for the operator's claims rules alone.
    extra_attrs: tuple[str, ...]


@attrs.frozen(kw_only=True)
class GroupMatcher:
    """What a person and their groups have in common."""

    user_attr: str
    group: Comparison | Extensible
    #: what a group and the groups that it is in have in common: `group` of the DN; None: no climbing.
    parent: Comparison | Extensible | None


@attrs.frozen(kw_only=True)
class GroupSearch:
    """How groups are found."""

    base_dn: str
    condition: Filter | None
    scope: str
    name_attr: str
    matchers: tuple[GroupMatcher, ...]


@attrs.frozen(kw_only=True)
class Settings:
    """All of them, understood."""

    #: empty where the DNS names them.
    hosts: tuple[Host, ...]
    #: the name of the SRV records; empty where the hosts are listed.
    srv_service: str
    security: Security
    tls: TLSSettings
    account: Account
    username_prompt: str
    users: UserSearch
    #: None: nobody has groups.
    groups: GroupSearch | None
    limits: Limits
    #: seconds that a whole login may take.
    login_time_limit: float
    #: for people whose password was right and has expired; empty: they are told what everybody is told.
    expired_password_message: str
    #: None: nobody is asked for a ticket.
    kerberos: KerberosSettings | None = None
    #: what the operator should know.
    remarks: tuple[str, ...] = ()


def read_settings(config: Mapping[str, Any]) -> Settings:
    """The settings. Raises ConnectorError, naming the key."""
    keys, remarks = Keys(config), list[str]()
    security = _security(keys)
    hosts, srv_service = _hosts(keys, security)
    settings = Settings(
        hosts=hosts,
        srv_service=srv_service,
        security=security,
        tls=_tls(keys),
        account=_account(keys),
        username_prompt=keys.text("usernamePrompt"),
        users=_users(keys.section("userSearch")),
        groups=_groups(keys.section("groupSearch"), remarks),
        limits=Limits(
            connect=_seconds(keys, "connectTimeout", 10),
            operation=_seconds(keys, "operationTimeout", 20),
            idle=_seconds(keys, "idleTimeout", 60),
            connections=_count(keys, "maxConnections", 8),
        ),
        login_time_limit=_seconds(keys, "loginTimeout", 30),
        expired_password_message=keys.text("expiredPasswordMessage"),
        kerberos=_kerberos(keys.section("kerberos"), remarks),
    )
    remarks += [f"less safe: {key}: {why}" for key, why in _WEAKENINGS.items() if keys.flag(key)]
    return attrs.evolve(settings, remarks=tuple(remarks))


def _security(keys: Keys) -> Security:
    if keys.flag("insecureNoSSL"):
        return Security.PLAIN
    return Security.START_TLS if keys.flag("startTLS") else Security.LDAPS


def _hosts(keys: Keys, security: Security) -> tuple[tuple[Host, ...], str]:
    single, listed, domain = keys.text("host"), keys.texts("hosts"), keys.text("srvDomain")
    if sum(map(bool, (single, listed, domain))) != 1:
        raise keys.wrong("host", "is required, or else one of hosts and srvDomain, but no two of them")
    if domain:
        name = "_ldaps" if security is Security.LDAPS else "_ldap"
        return (), f"{name}._tcp.{domain.strip('.')}"
    default_port = 636 if security is Security.LDAPS else 389
    try:
        return tuple(parse_host(each, default_port) for each in listed or (single,)), ""
    except ValueError as error:
        raise keys.wrong("host" if single else "hosts", str(error)) from None


def _tls(keys: Keys) -> TLSSettings:
    root_file, root_data = keys.text("rootCA"), keys.text("rootCAData")
    certificate, key = keys.text("clientCert"), keys.text("clientKey")
    if bool(certificate) != bool(key):
        raise keys.wrong("clientCert", "and clientKey are a pair: both or none")
    try:
        trust_root = None
        if root_data:
            trust_root = trust_root_of_data(root_data, "rootCAData")
        elif root_file:
            trust_root = trust_root_of_file(root_file)
        pair, chain = client_pair(certificate, key) if certificate else (None, ())
    except CertificateProblem as problem:
        raise ConnectorError(str(problem)) from None
    return TLSSettings(
        trust_root=trust_root,
        verify=not keys.flag("insecureSkipVerify"),
        client_certificate=pair,
        client_chain=chain,
    )


def _account(keys: Keys) -> Account:
    name, password = keys.text("bindDN"), keys.secret("bindPW", required=False)
    if bool(name) != bool(password):
        # Without a password a bind succeeds and proves nothing (RFC 4513 §5.1.2).
        raise keys.wrong("bindPW", "and bindDN are a pair: both or none")
    return Account(name=name.encode(), password=password.encode())


def _users(keys: Keys) -> UserSearch:
    name_attr, email_suffix = keys.text("nameAttr"), keys.text("emailSuffix")
    if email_suffix and not name_attr:
        raise keys.wrong("emailSuffix", "needs nameAttr, with whose value the address begins")
    base_dn = keys.required("baseDN")
    names = keys.texts("username") if isinstance(keys.values.get("username"), list) else ()
    names = names or (keys.required("username"),)
    return UserSearch(
        base_dn=base_dn,
        condition=_condition(keys),
        username=tuple(_parsed(keys, "username", comparing, name) for name in names),
        scope=keys.choice("scope", ("sub", "one"), "sub"),
        id_attr=keys.text("idAttr", "uid"),
        email_attr=keys.text("emailAttr", "mail"),
        name_attr=name_attr,
        preferred_username_attr=keys.text("preferredUsernameAttr"),
        email_suffix=email_suffix,
        extra_attrs=keys.texts("extraAttrs"),
    )


def _groups(keys: Keys, remarks: list[str]) -> GroupSearch | None:
    base_dn, matchers = keys.text("baseDN"), _matchers(keys, remarks)
    search = GroupSearch(
        base_dn=base_dn,
        condition=_condition(keys),
        scope=keys.choice("scope", ("sub", "one"), "sub"),
        name_attr=keys.required("nameAttr") if base_dn and matchers else "",
        matchers=matchers,
    )
    if base_dn and not matchers:
        remarks.append("groupSearch has no userMatchers: nobody has groups")
    return search if base_dn and matchers else None


def _matchers(keys: Keys, remarks: list[str]) -> tuple[GroupMatcher, ...]:
    listed = keys.sections("userMatchers")
    if listed and listed[0].text("userAttr"):
        return tuple(map(_matcher, listed))
    if not any(map(keys.text, _MATCHER_KEYS)):
        return ()
    remarks.append("groupSearch.userAttr and groupSearch.groupAttr are deprecated: use userMatchers")
    return (_matcher(keys),)


def _matcher(keys: Keys) -> GroupMatcher:
    parent = keys.text("recursionGroupAttr")
    return GroupMatcher(
        user_attr=keys.required("userAttr"),
        group=_parsed(keys, "groupAttr", comparing, keys.required("groupAttr")),
        parent=_parsed(keys, "recursionGroupAttr", comparing, parent) if parent else None,
    )


def _kerberos(keys: Keys, remarks: list[str]) -> KerberosSettings | None:
    forms = {"localpart": False, "samaccountname": False, "userprincipalname": True}
    form = keys.text("usernameFromPrincipal", "localpart").lower()
    if form not in forms:
        raise keys.wrong("usernameFromPrincipal", "is localpart, sAMAccountName or userPrincipalName")
    if not keys.flag("enabled"):
        return None
    if keys.values.get("maxClockSkew") not in (None, 300):
        remarks.append("kerberos.maxClockSkew has no effect: clockskew in krb5.conf has")
    service, entry = keys.text("spn"), keys.text("keytabPrincipal")
    if service and entry and service.partition("@")[0] != entry.partition("@")[0]:
        raise keys.wrong("spn", "and keytabPrincipal name two services, and a ticket is for one")
    return KerberosSettings(
        keytab_path=keys.text("keytabPath"),
        principal=entry or service,
        expected_realm=keys.text("expectedRealm"),
        with_realm=forms[form],
        fallback_to_password=keys.flag("fallbackToPassword"),
    )


def _condition(keys: Keys) -> Filter | None:
    text = keys.text("filter")
    return _parsed(keys, "filter", parse_filter, text) if text else None


def _parsed(keys: Keys, key: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except FilterMistake as mistake:
        raise keys.wrong(key, f"cannot be used: {mistake}") from None


def _seconds(keys: Keys, key: str, default: float) -> float:
    value = keys.values.get(key)
    if value is None:
        return default
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = float(found[1]) * _UNITS[found[2]] if found else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= 3600:
        raise keys.wrong(key, "must be a time such as 10s, and no more than an hour")
    return float(seconds)


def _count(keys: Keys, key: str, default: int) -> int:
    value = keys.values.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 1000:
        raise keys.wrong(key, "must be a number from 1 to 1000")
    return value
