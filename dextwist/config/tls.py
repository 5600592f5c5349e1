"""The keys that listeners with TLS share."""

from __future__ import annotations

import attrs

from dextwist.config.places import Place
from dextwist.config.reading import key
from dextwist.config.values import readable_file, text, tls_version


@attrs.frozen(kw_only=True)
class TLS:
    """Certificate, key and versions."""

    #: paths of PEM files.
    tls_cert: str = key("tlsCert", text, "")
    tls_key: str = key("tlsKey", text, "")
    tls_min_version: str = key("tlsMinVersion", tls_version, "1.2")
    #: empty: whatever the library has.
    tls_max_version: str = key("tlsMaxVersion", tls_version, "")

    def check_versions(self, place: Place) -> None:
        """Report a range of versions that is empty."""
        if self.tls_max_version and self.tls_min_version > self.tls_max_version:
            place.refuse("tlsMinVersion", "TLSMinVersion greater than TLSMaxVersion")

    def check_files(self, place: Place, *more: str) -> None:
        """Report the files that cannot be read: certificate, key and those that `more` keys name."""
        for name in ("tlsCert", "tlsKey", *more):
            if place.given(name):
                with place.findings.collecting():
                    readable_file(place.child(name))
