"""Lifetimes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.config.case import ConfigCase

LABELS = {
    "idTokens": "id token expiry",
    "authRequests": "auth request expiry",
    "deviceRequests": "device request expiry",
    "authCodes": "auth code expiry",
}
REFRESH_LABELS = {
    "validIfNotUsedFor": "refresh token valid if not used for",
    "absoluteLifetime": "refresh tokens absolute lifetime",
    "reuseInterval": "refresh tokens reuse interval",
}


def refresh(**keys: Any) -> dict[str, Any]:
    return {"expiry": {"refreshTokens": keys}}


class ExpiryTest(ConfigCase):
    def test_10_defaults(self) -> None:
        expiry = self.load().expiry
        self.assertEqual(expiry.id_tokens, timedelta(hours=24))
        self.assertEqual(expiry.auth_codes, timedelta(minutes=5))
        self.assertEqual(expiry.auth_requests, timedelta(hours=1))
        self.assertEqual(expiry.device_requests, timedelta(minutes=5))
        refresh_tokens = expiry.refresh_tokens
        self.assertFalse(refresh_tokens.disable_rotation)
        self.assertEqual(refresh_tokens.reuse_interval, timedelta(seconds=30))
        self.assertIsNone(refresh_tokens.valid_if_not_used_for)
        self.assertIsNone(refresh_tokens.absolute_lifetime)
        self.assertEqual(refresh_tokens.max_per_client, 20)

    def test_1_3_durations_that_are_none_are_refused(self) -> None:
        for name, label in LABELS.items():
            for wrong in ("1d", "10", "soon", "-5m", "0s", "0"):
                self.assert_refused(
                    {"expiry": {name: wrong}},
                    f"expiry.{name}",
                    f'invalid config value "{wrong}" for {label}',
                    "a duration such as",
                )

    def test_1_3_refresh_durations_that_are_none_are_refused(self) -> None:
        for name, label in REFRESH_LABELS.items():
            for wrong in ("for ever", "3 seconds", "-1s"):
                self.assert_refused(
                    refresh(**{name: wrong}),
                    f"expiry.refreshTokens.{name}",
                    f'invalid config value "{wrong}" for {label}',
                )

    def test_a_number_is_no_duration(self) -> None:
        self.assert_refused({"expiry": {"idTokens": 10}}, "expiry.idTokens", "the number 10")

    def test_zero_turns_reuse_and_limits_off(self) -> None:
        over = refresh(reuseInterval="0s", validIfNotUsedFor="0s", absoluteLifetime="0")
        refresh_tokens = self.load(over).expiry.refresh_tokens
        self.assertEqual(refresh_tokens.reuse_interval, timedelta(0))
        self.assertIsNone(refresh_tokens.valid_if_not_used_for)
        self.assertIsNone(refresh_tokens.absolute_lifetime)

    def test_limits(self) -> None:
        over = refresh(validIfNotUsedFor="336h", absoluteLifetime="2160h", maxPerClient=3)
        refresh_tokens = self.load(over).expiry.refresh_tokens
        self.assertEqual(refresh_tokens.valid_if_not_used_for, timedelta(days=14))
        self.assertEqual(refresh_tokens.absolute_lifetime, timedelta(days=90))
        self.assertEqual(refresh_tokens.max_per_client, 3)
