"""What results of binds mean."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.ldap.answers import BindResult
from dextwist.connectors.ldap.verdict import Outcome, verdict

_AD = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {}, v3839"


class VerdictTests(SynchronousTestCase):
    """Rejected is not an error, and the log knows why."""

    def check(
        self, outcome: Outcome, words: str, code: int, text: str = "", policy: int | None = None
    ) -> None:
        found = verdict(BindResult(code, text, policy))
        self.assertEqual(found.outcome, outcome, (code, text, policy))
        self.assertIn(words, found.reason)

    def test_success(self) -> None:
        self.check(Outcome.ACCEPTED, "", 0)
        self.check(Outcome.EXPIRED, "changed first", 0, "", 2)

    def test_wrong_password_and_constraint(self) -> None:
        self.check(Outcome.REJECTED, "result 49", 49)
        self.check(Outcome.REJECTED, "result 19", 19)

    def test_active_directory_says_why(self) -> None:
        for data, words in (
            ("525", "no such user"),
            ("52e", "password is wrong"),
            ("530", "at this time"),
            ("531", "from here"),
            ("533", "disabled"),
            ("701", "account has expired"),
            ("775", "locked"),
        ):
            self.check(Outcome.REJECTED, words, 49, _AD.format(data))
            self.check(Outcome.REJECTED, words, 53, _AD.format(data))
        for data in ("532", "773"):
            self.check(Outcome.EXPIRED, "password has", 49, _AD.format(data))

    def test_the_password_policy_says_why(self) -> None:
        self.check(Outcome.EXPIRED, "has expired", 49, "", 0)
        self.check(Outcome.REJECTED, "locked", 49, "", 1)
        self.check(Outcome.REJECTED, "result 49", 49, "", 8)

    def test_an_account_that_is_switched_off_is_rejected(self) -> None:
        self.check(Outcome.REJECTED, "inactivated", 53, "Account inactivated. Contact system administrator.")

    def test_everything_else_is_an_error(self) -> None:
        for code, text in ((1, ""), (10, ""), (50, ""), (53, "no password given"), (80, "")):
            self.check(Outcome.ERROR, f"result {code}", code, text)
