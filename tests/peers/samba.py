"""Samba as a domain controller: a directory in the dialect of Active Directory.

It needs root and ports that cannot be chosen, so there is one at a time on a machine.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

import attrs

from tests.peers.slapd import line

REALM, SUFFIX = "AD.LOCAL", "DC=ad,DC=local"
ADMIN, ADMIN_PASSWORD = "administrator@ad.local", "Adm1n-Secret"
STAFF, TEAMS = f"OU=Staff,{SUFFIX}", f"OU=Teams,{SUFFIX}"
PASSWORD = "Secret-Passw0rd"
PORT, TLS_PORT = 389, 636
_PORTS = (88, PORT, 464, TLS_PORT, 3268, 3269)

_CONFIG = """[global]
netbios name = DC1
realm = {realm}
workgroup = ADL
server role = active directory domain controller
private dir = {folder}/private
lock directory = {folder}/lock
state directory = {folder}/state
cache directory = {folder}/cache
pid directory = {folder}/pid
ncalrpc dir = {folder}/ncalrpc
log file = {folder}/log.%m
interfaces = 127.0.0.1
bind interfaces only = yes
server services = ldap, kdc
ldap server require strong auth = no
vfs objects = dfs_samba4 acl_xattr xattr_tdb
xattr_tdb:file = {folder}/xattr.tdb
[sysvol]
path = {folder}/state/sysvol
[netlogon]
path = {folder}/state/sysvol/ad.local/scripts
"""


def missing_samba() -> str:
    """What this machine lacks; empty for nothing."""
    if not shutil.which("samba", path="/usr/sbin") or not shutil.which("samba-tool"):
        return "missing peer: samba"
    if not Path("/usr/share/samba/setup").exists() or not shutil.which("ldapmodify"):
        return "missing peer: samba-ad-provision and ldap-utils"
    return "" if os.geteuid() == 0 else "missing peer: root, for the ports of Active Directory"


def _configure(folder: Path) -> Path:
    for name in ("private", "lock", "state/sysvol/ad.local/scripts", "cache", "pid", "ncalrpc"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    path = folder / "smb.conf"
    path.write_text(_CONFIG.format(realm=REALM, folder=folder))
    return path


@functools.cache
def _provisioned() -> Path:
    """A domain nobody has touched; making one takes ten seconds, copying it none."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(
        [
            *("samba-tool", "domain", "provision", "-s", str(_configure(folder)), f"--realm={REALM}"),
            *("--domain=ADL", f"--adminpass={ADMIN_PASSWORD}", "--server-role=dc", "--dns-backend=NONE"),
            *("--host-name=dc1", "--host-ip=127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    for path in folder.rglob("*"):
        if path.is_socket():
            path.unlink()
    return folder


@attrs.define
class Samba:
    """A domain controller."""

    folder: Path
    _process: subprocess.Popen[bytes] | None = None
    _lock: IO[str] | None = None

    def start(self) -> None:
        """Wait for its turn, and start it."""
        self._lock = open(Path(tempfile.gettempdir()) / "samba-of-tests.lock", "w")  # noqa: SIM115
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        shutil.copytree(_provisioned(), self.folder, dirs_exist_ok=True, symlinks=True)
        until = time.monotonic() + 60
        while any(map(_in_use, _PORTS)) and time.monotonic() < until:
            time.sleep(0.2)
        command = ["/usr/sbin/samba", "-i", "-M", "single", "-s", str(_configure(self.folder))]
        with open(self.folder / "out", "ab") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        while time.monotonic() < until and self._process.poll() is None:
            if _in_use(TLS_PORT):
                return
            time.sleep(0.05)
        raise RuntimeError(f"samba does not listen:\n{(self.folder / 'out').read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop it and let the next one have the ports."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(20)
        if self._lock is not None:
            self._lock.close()

    def change(self, ldif: str) -> None:
        """Apply changes; an entry without `changetype` is added."""
        subprocess.run(
            ["ldapmodify", "-a", "-x", "-H", "ldaps://127.0.0.1", "-D", ADMIN, "-w", ADMIN_PASSWORD],
            check=True,
            capture_output=True,
            input=ldif.encode(),
            env={**os.environ, "LDAPTLS_REQCERT": "never"},
        )


def _in_use(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def user(name: str, *, cn: str = "", more: str = "", control: int = 0x10200) -> str:
    """A person: an account that is on and whose password does not expire, unless told otherwise."""
    quoted = f'"{PASSWORD}"'.encode("utf-16-le").decode("ascii")
    return (
        line("dn", f"CN={_escaped(cn or name)},{STAFF}")
        + "objectClass: user\n"
        + line("sAMAccountName", name)
        + line("userPrincipalName", f"{name}@ad.local")
        + line("displayName", cn or name)
        + f"mail: {name.encode('ascii', 'ignore').decode()}@example.org\n"
        + line("unicodePwd", quoted)
        + f"userAccountControl: {control}\n{more}\n"
    )


def team(cn: str, *dns: str) -> str:
    """A group of these entries."""
    members = "".join(line("member", dn) for dn in dns)
    return line("dn", f"CN={_escaped(cn)},{TEAMS}") + f"objectClass: group\n{members}\n"


def _escaped(value: str) -> str:
    return "".join(f"\\{character}" if character in ',+"\\<>;=' else character for character in value)
