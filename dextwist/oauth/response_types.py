"""Response types and response modes (OAuth 2.0 Multiple Response Type Encoding Practices, Form Post)."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable

from dextwist.oauth.errors import OAuthError

CODE, TOKEN, ID_TOKEN = "code", "token", "id_token"
#: as discovery spells them.
RESPONSE_TYPES = (
    "code",
    "token",
    "id_token",
    "code token",
    "code id_token",
    "id_token token",
    "code id_token token",
)
_WORDS = frozenset({CODE, TOKEN, ID_TOKEN})


class ResponseMode(enum.Enum):
    """How the authorization response travels to the client."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"


def parse_response_types(text: str, enabled: Iterable[str]) -> tuple[str, ...]:
    """The words of a `response_type`, each once.

    Raises OAuthError where there is none, an unknown one, or one that the values do not enable.
    """
    words = tuple(dict.fromkeys(text.split()))
    if not words:
        raise OAuthError("invalid_request", "response_type is missing")
    unknown = [word for word in words if word not in _WORDS]
    if unknown:
        raise OAuthError("unsupported_response_type", f"response_type {' '.join(unknown)} is unknown")
    if not is_enabled(words, enabled):
        raise OAuthError("unsupported_response_type", f"response_type {' '.join(words)} is not enabled")
    if words == (TOKEN,):
        raise OAuthError("invalid_request", "response_type token alone is no OpenID Connect request")
    return words


def is_enabled(words: Collection[str], enabled: Iterable[str]) -> bool:
    """Whether these values enable the response type of these words.

    Single words allow every combination of such words, a combination allows itself.
    """
    combinations = {frozenset(value.split()) for value in enabled}
    single = {word for value in combinations if len(value) == 1 for word in value}
    return frozenset(words) in combinations or single.issuperset(words)


def in_front_channel(words: Collection[str]) -> bool:
    """Whether tokens themselves come back through the browser.

    `token` alone is never answered, so the error that it gets stays in the query, where dex sends it.
    """
    return ID_TOKEN in words or (TOKEN in words and len(set(words)) > 1)


def response_mode(asked: str, response_type: str) -> ResponseMode:
    """The response mode that counts: the one asked for, or the default of the response type.

    Takes the parameters as they came, since errors about them travel this way too. Raises OAuthError
    (invalid_request) for an unknown mode, and for tokens in a query.
    """
    words = response_type.split()
    default = ResponseMode.FRAGMENT if in_front_channel(words) else ResponseMode.QUERY
    if not asked:
        return default
    try:
        mode = ResponseMode(asked)
    except ValueError:
        raise OAuthError("invalid_request", f"response_mode {asked} is not supported") from None
    if mode is ResponseMode.QUERY and default is ResponseMode.FRAGMENT:
        raise OAuthError("invalid_request", "tokens are not sent in a query")
    return mode
