"""`staticPasswords`: the users of the built-in password database that the file declares."""

from __future__ import annotations

import base64

import attrs

from dextwist.config.places import Place
from dextwist.config.reading import key, list_of, secret, section
from dextwist.config.values import boolean, environment_variable, here, text, texts
from dextwist.model.bcrypt_hash import MAX_COST, MIN_COST, bcrypt_cost
from dextwist.model.password import Password, folded_email


@attrs.frozen(kw_only=True)
class _Entry:
    email: str = key("email", text, "", missing="an email is required for a static password")
    hash: str = secret("hash", text)
    hash_from_env: Place | None = key("hashFromEnv", here, None)
    username: str = key("username", text, "")
    name: str = key("name", text, "")
    preferred_username: str = key("preferredUsername", text, "")
    email_verified: bool | None = key("emailVerified", boolean, None)
    user_id: str = key("userID", text, "")
    groups: tuple[str, ...] = key("groups", texts, ())


def password(place: Place) -> Password:
    """Reads one user."""
    entry = section(place, _Entry)
    if not entry.user_id:
        place.warn("userID", "empty: the sub of this user's tokens names nobody")
    found = b""
    with place.findings.collecting():
        found = _hash(entry, place)
    return Password(
        email=entry.email,
        hash=found,
        user_id=entry.user_id,
        username=entry.username,
        name=entry.name,
        preferred_username=entry.preferred_username,
        email_verified=entry.email_verified,
        groups=entry.groups,
    )


def _hash(entry: _Entry, place: Place) -> bytes:
    """The hash, from the first key that has one."""
    given = [name for name in ("hash", "hashFile", "hashFromEnv") if place.given(name)]
    if not given:
        raise place.absent("hash").wrong(problem="no password hash provided")
    source = place.child(given[0], secret=True)
    written = environment_variable(source) if given[0] == "hashFromEnv" else entry.hash
    if not written:
        return b""  # why not is noted already
    for candidate in (written.encode(), _decoded(written.encode())):
        cost = bcrypt_cost(candidate)
        if cost is None:
            continue
        if not MIN_COST <= cost <= MAX_COST:
            raise source.wrong(problem=f"the bcrypt hash has the cost {cost}, not {MIN_COST} to {MAX_COST}")
        return candidate
    raise source.wrong(problem="malformed bcrypt hash: neither a bcrypt hash nor the base64 of one")


def _decoded(written: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(written.split()), validate=True)
    except ValueError:
        return b""


passwords = list_of(password, unique=lambda each: folded_email(each.email), called="email")
