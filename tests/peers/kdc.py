"""A Kerberos key distribution centre of MIT, in a folder of its own, on a free loopback port."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import attrs

from tests.flows.daemon import free_port

REALM = "TEST.LOCAL"
PASSWORD = "kerberos-secret"
_SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin"
_CLIENTS = """[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
[realms]
{realm} = {{
  kdc = 127.0.0.1:{port}
}}
[domain_realm]
localhost = {realm}
"""
_SERVER = """[kdcdefaults]
kdc_listen = 127.0.0.1:{port}
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
  database_name = {folder}/principals
  key_stash_file = {folder}/stash
}}
[logging]
kdc = FILE:{folder}/log
"""


def missing_kdc() -> str:
    """What this machine lacks; empty for nothing."""
    for program in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit", "curl"):
        if shutil.which(program, path=_SEARCHED) is None:
            return f"missing peer: {program}"
    return "" if importlib.util.find_spec("gssapi") else "missing peer: gssapi"


@attrs.define
class Kdc:
    """A realm."""

    folder: Path
    port: int = attrs.field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> Mapping[str, str]:
        """For programs that use the realm."""
        return {
            "KRB5_CONFIG": str(self.folder / "krb5.conf"),
            "KRB5CCNAME": f"FILE:{self.folder}/tickets",
            # A replay cache that nothing else on this machine knows.
            "KRB5RCACHENAME": f"file2:{self.folder}/replays",
        }

    def start(self) -> None:
        """Make the realm and serve it."""
        for name, text in (("krb5.conf", _CLIENTS), ("kdc.conf", _SERVER)):
            (self.folder / name).write_text(text.format(realm=REALM, port=self.port, folder=self.folder))
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        with open(self.folder / "out", "ab") as out:
            self._process = subprocess.Popen(
                [self._program("krb5kdc"), "-n"], env=self._environ, stdout=out, stderr=out
            )
        until = time.monotonic() + 20
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"krb5kdc does not listen:\n{(self.folder / 'out').read_text()}")

    def stop(self) -> None:
        """Stop it."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

    def person(self, name: str) -> None:
        """Somebody with a password."""
        self._run("kadmin.local", "-q", f"addprinc -pw {PASSWORD} {name}")

    def keytab(self, *services: str) -> Path:
        """Services, and the file with their keys."""
        path = self.folder / "services.keytab"
        for service in services:
            self._run("kadmin.local", "-q", f"addprinc -randkey {service}")
            self._run("kadmin.local", "-q", f"ktadd -k {path} {service}")
        return path

    def log_in(self, name: str) -> None:
        """From now on the tickets are this person's."""
        self._run("kinit", name, given=f"{PASSWORD}\n")

    def curl(self, url: str, *options: str) -> str:
        """What curl prints that shows tickets and follows redirects, with the cookies that it is given."""
        jar = str(self.folder / "cookies")
        command = ["-s", "--noproxy", "*", "--negotiate", "-u", ":", "-c", jar, "-b", jar, *options, url]
        return self._run("curl", *command, check=False)

    def _run(self, program: str, *arguments: str, given: str = "", check: bool = True) -> str:
        done = subprocess.run(
            [self._program(program), *arguments],
            env=self._environ,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout

    def _program(self, name: str) -> str:
        found = shutil.which(name, path=_SEARCHED)
        assert found is not None
        return found

    @property
    def _environ(self) -> Mapping[str, str]:
        return {**os.environ, **self.environ, "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf")}
