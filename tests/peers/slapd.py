"""OpenLDAP's server in a folder of its own, on free loopback ports."""

from __future__ import annotations

import base64
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import attrs

from tests.flows.daemon import free_port

DATA = Path(__file__).parents[1] / "data" / "ldap"
SUFFIX = "dc=example,dc=org"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{SUFFIX}", "admin"
PEOPLE, GROUPS = f"ou=People,{SUFFIX}", f"ou=Groups,{SUFFIX}"

_SEARCHED = "/usr/sbin:/usr/lib/openldap:/usr/libexec"
_SERVER, _LOADER = (shutil.which(name, path=_SEARCHED) for name in ("slapd", "slapadd"))
_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload memberof
pidfile {folder}/pid
{tls}
{settings}
database mdb
suffix {suffix}
rootdn {admin}
rootpw {password}
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by * read
overlay ppolicy
ppolicy_default cn=policy,{suffix}
ppolicy_use_lockout
overlay memberof
"""
BASE = f"""dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=policy,{SUFFIX}
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3

"""


def missing_slapd() -> str:
    """What this machine lacks; empty for nothing."""
    return "" if _SERVER and _LOADER and shutil.which("ldapmodify") else "missing peer: slapd and ldap-utils"


@attrs.define(kw_only=True)
class Slapd:
    """A directory; `ldif` is in it from the start, below the base entry."""

    folder: Path
    ldif: str = ""
    #: certificate, key and authority; None: it knows no TLS.
    tls: tuple[Path, Path, Path] | None = None
    client_certificates: str = "never"
    #: lines before the database's.
    settings: str = ""
    port: int = attrs.field(factory=free_port)
    tls_port: int = attrs.field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, with what it held when it stopped."""
        if not self.folder.exists():
            self._make()
        urls = f"ldap://127.0.0.1:{self.port}" + (f" ldaps://127.0.0.1:{self.tls_port}" if self.tls else "")
        assert _SERVER is not None
        command = [_SERVER, "-d", "stats", "-f", str(self.folder / "slapd.conf"), "-h", urls]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 20
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"slapd does not listen:\n{self.log()[-2000:]}")

    def _make(self) -> None:
        (self.folder / "db").mkdir(parents=True)
        tls = ""
        if self.tls:
            certificate, key, authority = self.tls
            tls = (
                f"TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n"
                f"TLSCACertificateFile {authority}\nTLSVerifyClient {self.client_certificates}"
            )
        config = _CONFIG.format(
            folder=self.folder,
            tls=tls,
            settings=self.settings,
            suffix=SUFFIX,
            admin=ADMIN,
            password=ADMIN_PASSWORD,
        )
        (self.folder / "slapd.conf").write_text(config)
        (self.folder / "base.ldif").write_text(BASE + self.ldif)
        assert _LOADER is not None
        loader = [_LOADER, "-q", "-f", str(self.folder / "slapd.conf"), "-l", str(self.folder / "base.ldif")]
        loaded = subprocess.run(loader, check=False, capture_output=True, text=True)
        assert loaded.returncode == 0, loaded.stderr

    def stop(self) -> None:
        """Stop it, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(20)

    def pause(self) -> None:
        """Have it accept connections and say nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """Connections, binds and searches, as it wrote them."""
        return (self.folder / "log").read_text(errors="replace")

    def connections(self) -> int:
        """How many are open to its plain port."""
        port = f":{self.port:04X}"
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(1 for row in rows if row[1].endswith(port) and row[3] == "01")

    def change(self, ldif: str) -> None:
        """Apply changes; an entry without `changetype` is added."""
        url = f"ldap://127.0.0.1:{self.port}"
        command = ["ldapmodify", "-a", "-x", "-H", url, "-D", ADMIN, "-w", ADMIN_PASSWORD]
        subprocess.run(command, check=True, capture_output=True, input=ldif.encode())


def person(
    uid: str,
    *,
    cn: str = "",
    mail: str | None = None,
    password: str = "password",
    more: str = "",
    ou: str = PEOPLE,
) -> str:
    """A person, whose address is at example.org unless told otherwise."""
    mail = f"{uid.split()[0].lower()}@example.org" if mail is None else mail
    return (
        line("dn", f"uid={_escaped(uid)},{ou}")
        + "objectClass: inetOrgPerson\nsn: X\n"
        + line("uid", uid)
        + line("cn", cn or uid)
        + (line("mail", mail) if mail else "")
        + line("userPassword", password)
        + more
        + "\n"
    )


def group(cn: str, *members: str) -> str:
    """A group of people by their uid, and of groups by their DN."""
    dns = [name if name.endswith(SUFFIX) else f"uid={_escaped(name)},{PEOPLE}" for name in members]
    return (
        line("dn", f"cn={_escaped(cn)},{GROUPS}")
        + "objectClass: groupOfNames\n"
        + line("cn", cn)
        + "".join(line("member", dn) for dn in dns)
        + "\n"
    )


def line(name: str, value: str) -> str:
    """A line of LDIF, in base64, which may hold anything (RFC 2849)."""
    return f"{name}:: {base64.b64encode(value.encode()).decode()}\n"


def _escaped(value: str) -> str:
    return "".join(f"\\{character}" if character in ',+"\\<>;=' else character for character in value)


def units(*dns: str) -> str:
    """Organizational units."""
    return "".join(
        f"dn: {dn}\nobjectClass: organizationalUnit\nou: {dn.partition('=')[2].partition(',')[0]}\n\n"
        for dn in dns
    )
