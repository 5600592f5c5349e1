"""Step verifiers: the proof, in the URL, that the browser has come as far as it says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlencode

from dextwist.oauth.packed import packed_list

#: back at the dispatcher after the login, or after the last second factor
CONTINUE = "step:continue"
#: to the first second factor
MFA = "step:mfa"
#: to the consent page
APPROVAL = "step:approval"
#: back at the dispatcher after consent
APPROVED = "step:approved"
#: to the check of a device's user code, from the form for it
USER_CODE = "step:user_code"


def step_verifier(key: bytes, request_id: str, label: str) -> str:
    """The verifier of one step of one login: HMAC-SHA256, unpadded base64url, as dex makes it."""
    digest = hmac.digest(key, packed_list(request_id, label), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def is_step_verifier(presented: str, key: bytes, request_id: str, label: str) -> bool:
    """Whether that is the step's verifier, in constant time. A login without a key has none."""
    expected = step_verifier(key, request_id, label)
    return bool(key) and hmac.compare_digest(presented.encode(), expected.encode())


def step_query(key: bytes, request_id: str, label: str) -> str:
    """The query that leads to a step, sorted by name."""
    return urlencode({"hmac": step_verifier(key, request_id, label), "req": request_id})
