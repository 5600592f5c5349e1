"""Users of the built-in password database, keyed by the folded e-mail address."""

from __future__ import annotations

import attrs

from dextwist.model.kind import Key, Kind


def folded_email(email: str) -> str:
    """The e-mail address as a key: lower case, nothing trimmed."""
    return email.lower()


@attrs.frozen(kw_only=True)
class Password:
    """A local user. `email` is kept folded in every storage; static ones stay as written."""

    email: str
    #: the bcrypt hash, ASCII.
    hash: bytes = attrs.field(repr=False)
    user_id: str = ""
    username: str = ""
    name: str = ""
    preferred_username: str = ""
    #: None means that nobody said, and counts as verified.
    email_verified: bool | None = None
    groups: tuple[str, ...] = ()


def _folded_key(key: Key) -> Key:
    assert isinstance(key, str)
    return folded_email(key)


PASSWORDS: Kind[Password] = Kind(
    name="password",
    model=Password,
    key=lambda password: password.email,
    normal_key=_folded_key,
    normal=lambda password: attrs.evolve(password, email=folded_email(password.email)),
)
