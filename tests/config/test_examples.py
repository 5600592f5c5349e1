"""Three configurations as people write them for dex."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from dextwist.config.signer import LocalSigner
from tests.config.case import PASSWORD_HASH, ConfigCase

HERE = Path(__file__).parent / "examples"
FILES = ("db-ca.pem", "tls.crt", "tls.key", "redis-ca.pem", "api.crt", "api.key", "api-clients-ca.pem")


class ExamplesTest(ConfigCase):
    def example(self, name: str) -> str:
        """The example, with its certificates where this test may write."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        for file in FILES:
            (folder / file).write_text("")
        return (HERE / name).read_text().replace("/etc/dex/pki", str(folder))

    def problems_of(self, name: str, environ: Mapping[str, str]) -> list[tuple[str, str]]:
        refusal = self.refusal(self.example(name), environ=environ)
        return [(each.path, each.problem) for each in refusal.problems]

    def test_19_development(self) -> None:
        config = self.load_text(
            self.example("development.yaml"), environ={"DEV_PASSWORD_BCRYPT": PASSWORD_HASH}
        )
        self.assertEqual([each.id for each in config.static_clients], ["notebook", "cli"])
        self.assertEqual([each.id for each in config.static_connectors], ["mock", "local"])
        self.assertEqual(config.static_passwords[0].groups, ("developers",))
        self.assertEqual(config.signer, LocalSigner(keys_rotation_period=timedelta(hours=6)))
        (warning,) = config.warnings
        self.assertIn("mockCallback", warning)

    def test_20_production_lacks_only_what_is_not_built(self) -> None:
        environ = {
            "DB_PASSWORD": "x",
            "LDAP_BIND_PW": "x",
            "PORTAL_CLIENT_ID": "portal",
            "PORTAL_CLIENT_SECRET": "x",
        }
        self.assertEqual(
            self.problems_of("production.yaml", environ),
            [("storage.type", "storage type postgres is not built yet")],
        )

    def test_21_replicas_lack_only_what_is_not_built(self) -> None:
        environ = {
            "DEX_SESSIONS_ENABLED": "true",
            "DEX_API_SESSIONS_IDENTITIES_CRUD": "true",
            "DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS": "true",
            "WIKI_SECRET": "x",
            "TICKETS_SECRET": "x",
        }
        self.assertEqual(
            self.problems_of("replicas.yaml", environ),
            [
                ("storage.type", "storage type redis is not built yet"),
                ("signer.type", "signer type vault is not built yet"),
                ("mfa.authenticators", "second factors are not built yet"),
                ("mfa.defaultMFAChain", "second factors are not built yet"),
            ],
        )
