"""Apache with mod_auth_openidc: a relying party that guards pages."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import attrs

from tests.flows.daemon import free_port

_SERVER = "/usr/sbin/apache2"
_MODULE_FOLDER = Path("/usr/lib/apache2/modules")
_MODULES = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "headers",
    "include",
    "auth_openidc",
)
_CONFIG = """
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
DocumentRoot {folder}/pages
{modules}
{user}

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {secret}
OIDCRedirectURI {url}/callback
OIDCCryptoPassphrase a-passphrase-for-cookies-that-are-only-tested
OIDCPKCEMethod S256
OIDCScope "openid profile email groups"
OIDCRemoteUserClaim email

<Directory {folder}/pages>
    Options +Includes
    SetOutputFilter INCLUDES
</Directory>
<LocationMatch "^/(callback|everybody)$">
    AuthType openid-connect
    Require valid-user
</LocationMatch>
<Location /authors>
    AuthType openid-connect
    Require claim groups:authors
</Location>
"""
_PAGE = "".join(
    f'{name}=<!--#echo var="{variable}" -->\n'
    for name, variable in (
        ("user", "REMOTE_USER"),
        ("name", "OIDC_CLAIM_name"),
        ("issuer", "OIDC_CLAIM_iss"),
        ("groups", "OIDC_CLAIM_groups"),
    )
)


def missing_apache() -> str:
    """What this machine lacks; empty for nothing."""
    if shutil.which(_SERVER) is None:
        return "missing peer: apache2"
    if not (_MODULE_FOLDER / "mod_auth_openidc.so").exists():
        return "missing peer: libapache2-mod-auth-openidc"
    return ""


@attrs.define(kw_only=True)
class Apache:
    """Guards `/everybody`, for who has logged in, and `/authors`, for members of that group alone.

    Its folder must be readable for everybody.
    """

    folder: Path
    client_id: str = "apache"
    secret: str = "apache-secret"
    port: int = attrs.field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def callback(self) -> str:
        """Its redirect URI."""
        return f"{self.url}/callback"

    def start(self, issuer: str) -> None:
        """Serve, with that provider, and wait until it answers."""
        pages = self.folder / "pages"
        pages.mkdir(parents=True)
        for name in ("everybody", "authors"):
            (pages / name).write_text(f"This is the page for {name}.\n{_PAGE}")
        modules = "\n".join(f"LoadModule {name}_module {_MODULE_FOLDER}/mod_{name}.so" for name in _MODULES)
        config = self.folder / "httpd.conf"
        config.write_text(
            _CONFIG.format(
                folder=self.folder,
                port=self.port,
                url=self.url,
                modules=modules,
                # It will not serve as root.
                user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
                issuer=issuer,
                client_id=self.client_id,
                secret=self.secret,
            )
        )
        command = [_SERVER, "-f", str(config), "-D", "FOREGROUND"]
        with open(self.folder / "output", "wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        end = time.monotonic() + 20
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"apache does not listen:\n{self.log()}")

    def log(self) -> str:
        """What it complained of."""
        files = [self.folder / "output", self.folder / "error.log"]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
