"""`frontend`: how the pages look."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from dextwist.config.places import Place
from dextwist.config.reading import cannot_read, key
from dextwist.config.values import text, texts_by_name

REQUIRED_TEMPLATES = (
    "approval",
    "login",
    "password",
    "oob",
    "error",
    "device",
    "device_success",
    "totp_verify",
    "webauthn_verify",
    "home",
    "logout",
)
#: Themes of old that mean the default.
_LEGACY_THEMES = frozenset({"coreos", "tectonic"})


def directory(place: Place) -> str:
    """A directory with everything that pages are made of; DEX_FRONTEND_DIR where the file says nothing."""
    path = text(place) if place.node.value else place.findings.environ.get("DEX_FRONTEND_DIR", "")
    failing = _missing_from(path) if path else ""
    if failing:
        said_where = "" if place.node.value else " (DEX_FRONTEND_DIR)"
        raise place.wrong(problem=f"failed to load web static{said_where}: {failing}")
    return path


def _missing_from(path: str) -> str:
    """What a frontend directory lacks; empty for nothing."""
    try:
        os.stat(os.path.join(path, "robots.txt"))
        found = os.listdir(os.path.join(path, "templates"))
    except (OSError, ValueError) as failure:
        return cannot_read(getattr(failure, "filename", None) or path, failure)
    missing = [f"{name}.html" for name in REQUIRED_TEMPLATES if f"{name}.html" not in found]
    if not found:
        return f'no files in template dir "{path}/templates"'
    return f"missing template(s): [ {' '.join(missing)} ]" if missing else ""


def theme(place: Place) -> str:
    """The name of a theme."""
    name = text(place)
    return "light" if name in _LEGACY_THEMES else name


@attrs.frozen(kw_only=True)
class Frontend:
    """The pages."""

    #: empty: the built-in pages.
    dir: str = key("dir", directory, "", always=True)
    #: the product's name in pages.
    issuer: str = key("issuer", text, "dex")
    logo_url: str = key("logoURL", text, "theme/logo.png")
    theme: str = key("theme", theme, "light")
    #: for the templates.
    extra: Mapping[str, str] = key("extra", texts_by_name, MappingProxyType({}))
