"""What the result of a bind says about a password. The reason is for the log: the browser sees none."""

from __future__ import annotations

import re
from enum import Enum, auto

import attrs

from dextwist.connectors.ldap import answers
from dextwist.connectors.ldap.answers import BindResult


class Outcome(Enum):
    """How a login goes on."""

    ACCEPTED = auto()
    REJECTED = auto()
    #: it was right, and has to be changed first.
    EXPIRED = auto()
    #: the directory could not tell.
    ERROR = auto()


@attrs.frozen
class Verdict:
    """An outcome and why."""

    outcome: Outcome
    reason: str = ""


#: Windows error numbers that Active Directory puts into its diagnostic text, in hexadecimal digits.
_WINDOWS = {
    "525": "there is no such user",
    "52e": "the password is wrong",
    "530": "this user may not log in at this time",
    "531": "this user may not log in from here",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password has to be changed first",
    "775": "the account is locked",
}
_WINDOWS_DATA = re.compile(r"\bdata ([0-9a-f]{3})\b", re.IGNORECASE)

#: draft-behera-ldap-password-policy §6.2
_POLICY: dict[int | None, str] = {
    0: "the password has expired",
    1: "the account is locked",
    2: "the password has to be changed first",
}
_CHANGE_FIRST = frozenset({_WINDOWS["532"], _WINDOWS["773"]})

#: What 389 Directory Server and others say with result 53 about an account, in their own words.
_ACCOUNT_STATE = re.compile(r"\b(inactivated|disabled|locked|expired)\b", re.IGNORECASE)


def verdict(result: BindResult) -> Verdict:
    """What a bind as the person came to."""
    windows = _WINDOWS_DATA.search(result.diagnostic)
    known = _POLICY.get(result.policy_error) or (_WINDOWS.get(windows[1].lower()) if windows else None)
    if result.code == answers.SUCCESS:
        # A password that somebody else has set lets its owner change it, and do nothing else.
        return Verdict(Outcome.EXPIRED, _POLICY[2]) if result.policy_error == 2 else Verdict(Outcome.ACCEPTED)
    said = f"result {result.code}" + (f" ({result.diagnostic})" if result.diagnostic else "")
    reason = f"{known}: {said}" if known else said
    if not _is_about_the_credentials(result, known):
        return Verdict(Outcome.ERROR, reason)
    return Verdict(Outcome.EXPIRED if known in _CHANGE_FIRST else Outcome.REJECTED, reason)


def _is_about_the_credentials(result: BindResult, known: str | None) -> bool:
    if result.code in (answers.INVALID_CREDENTIALS, answers.CONSTRAINT_VIOLATION):
        return True
    about_account = bool(known) or _ACCOUNT_STATE.search(result.diagnostic) is not None
    return result.code == answers.UNWILLING_TO_PERFORM and about_account
