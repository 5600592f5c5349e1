"""Kerberos tickets (RFC 4120), which browsers show as SPNEGO tokens (RFC 4178): the one module of gssapi.

Imported only where a connector has Kerberos switched on.
"""

from __future__ import annotations

import base64
from typing import Any

import attrs
import gssapi
from gssapi.raw.misc import GSSError
from twisted.internet.threads import deferToThreadPool

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.ldap.tickets import AcceptedTicket, KerberosSettings, TicketRefused


@attrs.frozen(kw_only=True)
class KerberosTickets:
    """Accepts tickets with the keys of a keytab."""

    #: the reactor, for its threads: checking a ticket reads files and writes the replay cache.
    reactor: Any
    credentials: gssapi.Credentials

    async def accept(self, token: bytes) -> AcceptedTicket:
        """Whose ticket it is. Raises TicketRefused."""
        pool = self.reactor.getThreadPool()
        accepted: AcceptedTicket = await deferToThreadPool(self.reactor, pool, self._accepted, token)
        return accepted

    def _accepted(self, token: bytes) -> AcceptedTicket:
        try:
            context = gssapi.SecurityContext(creds=self.credentials, usage="accept")
            answer = context.step(token)
            # More rounds would need a memory, and other mechanisms name people otherwise.
            if not context.complete or context.mech != gssapi.MechType.kerberos:
                raise TicketRefused("it is no Kerberos ticket")
            name = str(context.initiator_name)
        except GSSError as error:
            raise TicketRefused(" ".join(str(error).split())) from error
        return AcceptedTicket(
            name=name.partition("@")[0],
            realm=name.rpartition("@")[2] if "@" in name else "",
            reply=base64.b64encode(answer or b"").decode("ascii"),
        )


def open_keytab(settings: KerberosSettings, reactor: Any) -> KerberosTickets:
    """What accepts tickets. Raises ConnectorError where the keytab has no such key."""
    principal, path = settings.principal, settings.keytab_path
    try:
        credentials = gssapi.Credentials(
            name=gssapi.Name(principal, gssapi.NameType.kerberos_principal) if principal else None,
            usage="accept",
            store={"keytab": f"FILE:{path}"},
        )
    except GSSError as error:
        problem = " ".join(str(error).split())
        raise ConnectorError(f"kerberos.keytabPath: {path} cannot be used: {problem}") from None
    return KerberosTickets(reactor=reactor, credentials=credentials)
