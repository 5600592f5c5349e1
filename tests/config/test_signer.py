"""Who signs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from dextwist.config.signer import LocalSigner
from tests.config.case import ConfigCase


def local(**config: Any) -> dict[str, Any]:
    return {"signer": {"type": "local", "config": config}}


class SignerTest(ConfigCase):
    def test_13_without_a_section_there_are_keys_of_our_own(self) -> None:
        self.assertEqual(
            self.load().signer, LocalSigner(keys_rotation_period=timedelta(hours=6), algorithm="RS256")
        )

    def test_13_local(self) -> None:
        self.assertEqual(
            self.load(local(keysRotationPeriod="12h", algorithm="ES256")).signer,
            LocalSigner(keys_rotation_period=timedelta(hours=12), algorithm="ES256"),
        )

    def test_13_the_period_is_required_in_a_section(self) -> None:
        path = "signer.config.keysRotationPeriod"
        for over in (local(), {"signer": {"type": "local"}}):
            self.assert_refused(over, path, "signer.config.keysRotationPeriod must be specified")
        for wrong in ("0s", "-1h", "1d"):
            self.assert_refused(local(keysRotationPeriod=wrong), path, wrong)

    def test_2_unknown_types_and_algorithms_are_refused(self) -> None:
        self.assert_refused(
            {"signer": {"type": "goldpen", "config": {}}}, "signer.type", 'unknown signer type "goldpen"'
        )
        self.assert_refused(
            local(keysRotationPeriod="1h", algorithm="HS256"),
            "signer.config.algorithm",
            'unsupported local signer algorithm "HS256"',
        )

    def test_1_1_its_config_is_expanded(self) -> None:
        signer = self.load(local(keysRotationPeriod="$PERIOD"), environ={"PERIOD": "3h"}).signer
        self.assertEqual(signer, LocalSigner(keys_rotation_period=timedelta(hours=3)))

    def test_10_the_deprecated_period_counts_without_a_section_only(self) -> None:
        expiry = {"expiry": {"signingKeys": "2h"}}
        self.assertEqual(self.load(expiry).signer, LocalSigner(keys_rotation_period=timedelta(hours=2)))
        self.assert_warned(expiry, "expiry.signingKeys", "deprecated", "signer.config.keysRotationPeriod")
        both = {**expiry, **local(keysRotationPeriod="12h")}
        self.assertEqual(self.load(both).signer, LocalSigner(keys_rotation_period=timedelta(hours=12)))
        self.assert_warned(both, "expiry.signingKeys", "ignored")

    def test_13_vault_is_read_before_it_is_refused(self) -> None:
        vault = {"signer": {"type": "vault", "config": {"addr": "https://vault", "token": "x"}}}
        refusal = self.refusal(vault)
        self.assertEqual(
            [problem.path for problem in refusal.problems], ["signer.type", "signer.config.keyName"]
        )

    def test_the_token_may_come_from_a_file(self) -> None:
        path = str(Path(self.file("t")).absolute())
        vault = {"type": "vault", "config": {"keyName": "k", "tokenFile": path}}
        self.assert_refused({"signer": vault}, "signer.type", "not built yet")
        vault["config"] = {"keyName": "k", "tokenFile": "/nonexistent"}
        self.assertIn("signer.config.tokenFile", str(self.refusal({"signer": vault})))
