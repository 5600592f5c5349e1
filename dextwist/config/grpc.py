"""`grpc`: the management API's listener."""

from __future__ import annotations

import attrs

from dextwist.config.addresses import ListenAddress
from dextwist.config.places import Place
from dextwist.config.reading import key
from dextwist.config.tls import TLS
from dextwist.config.values import boolean, listen_address, text


@attrs.frozen(kw_only=True)
class GRPC(TLS):
    """The listener of the management API."""

    #: None: no such listener.
    addr: ListenAddress | None = key("addr", listen_address, None)
    #: whom client certificates must come from; empty: none is asked for.
    tls_client_ca: str = key("tlsClientCA", text, "")
    reflection: bool = key("reflection", boolean, False)
    #: proper status codes in place of dex's UNKNOWN.
    standard_status_codes: bool = key("standardStatusCodes", boolean, False)

    def check(self, place: Place) -> None:
        pair = [name for name in ("tlsCert", "tlsKey") if place.given(name)]
        if place.given("addr"):
            self.check_files(place, "tlsClientCA")
        else:
            for name in pair:
                place.refuse(name, "no address specified for gRPC")
        if len(pair) == 1:
            place.refuse(pair[0], "must specific both a gRPC TLS cert and key")
        if place.given("tlsClientCA") and not place.given("tlsCert"):
            place.refuse("tlsClientCA", "cannot specify gRPC TLS client CA without a gRPC TLS cert")
        self.check_versions(place)
