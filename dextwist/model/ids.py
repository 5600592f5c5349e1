"""Random identifiers, built as dex builds them (bit-compatible alphabets and lengths)."""

from __future__ import annotations

import os
from collections.abc import Callable

_ALPHABET = b"abcdefghijklmnopqrstuvwxyz234567"
#: Any byte to a letter of the alphabet, five bits of it counting: uniform, since 256 is 8 x 32.
_LETTERS = bytes(_ALPHABET[byte & 31] for byte in range(256))
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"

#: A source of random bytes: how many are wanted, those bytes.
Random = Callable[[int], bytes]


def _text(length: int, random: Random) -> str:
    """A letter a to z, then `length - 1` characters of lower-case base32."""
    data = random(length)
    return chr(97 + data[0] % 26) + data[1:].translate(_LETTERS).decode("ascii")


def new_id(random: Random = os.urandom) -> str:
    """25 characters with 124 bits: requests, refresh tokens and their secrets, sessions."""
    return _text(25, random)


def new_long_id(random: Random = os.urandom) -> str:
    """51 characters with 254 bits: authorization codes, device codes, HMAC keys."""
    return _text(51, random)


def new_uuid(random: Random = os.urandom) -> str:
    """A random UUID (RFC 9562 §5.4), made in a third of the time that its class takes."""
    digits = random(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def normal_user_code(text: str) -> str:
    """The user code that somebody typed, whatever case, dashes and blanks they used; empty for none.

    All characters but the twenty letters are passed over (RFC 8628 §6.1).
    """
    letters = "".join(letter for letter in text.upper() if letter in _USER_CODE_LETTERS)
    return f"{letters[:4]}-{letters[4:]}" if len(letters) == 8 else ""


def new_user_code(random: Random = os.urandom) -> str:
    """Eight of twenty letters that read well, as `XXXX-XXXX` (RFC 8628 §6.1)."""
    letters: list[str] = []
    while len(letters) < 8:
        # 240 is 12 x 20: bytes above it would favour the first letters.
        letters += [_USER_CODE_LETTERS[byte % 20] for byte in random(12) if byte < 240]
    return "".join(letters[:4]) + "-" + "".join(letters[4:8])
