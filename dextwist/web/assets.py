"""The frontend: where templates, style sheets and images lie, and how the files are served.

An operator's folder replaces the built-in look as a whole: nothing is looked up in two places. Files are
read once, when the server starts; a request then finds a file under its exact name or not at all, so no
spelling of a path leads out of the folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import attrs

from dextwist.web.http import Request, Response

DEFAULT_THEME = "light"

#: Names that dex once shipped; they mean the default theme.
LEGACY_THEMES = frozenset({"coreos", "tectonic"})

REQUIRED_TEMPLATES = (
    "approval.html",
    "login.html",
    "password.html",
    "oob.html",
    "error.html",
    "device.html",
    "device_success.html",
    "totp_verify.html",
    "webauthn_verify.html",
    "home.html",
    "logout.html",
)

#: Not the machine's own table of types, so that every installation answers alike.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


@attrs.frozen(eq=False)
class FrontendError(Exception):
    """The frontend cannot be used: what is missing or wrong, in one sentence."""

    problem: str

    def __str__(self) -> str:
        return self.problem


@attrs.frozen(kw_only=True)
class Frontend:
    """The folders of one look. The theme's folder may be absent: its files then answer 404."""

    templates: Path
    static: Path
    theme: Path
    robots: bytes


def open_frontend(folder: str | None, theme: str = DEFAULT_THEME) -> Frontend:
    """The operator's frontend, or the built-in one where no folder is named.

    Raises FrontendError where its templates or its robots.txt are missing.
    """
    theme = DEFAULT_THEME if not theme or theme in LEGACY_THEMES else theme
    if not folder:
        return builtin_frontend(theme)
    root = Path(folder)
    robots = root / "robots.txt"
    try:
        rules = robots.read_bytes()
    except OSError as failed:
        raise FrontendError(f"cannot read robots.txt in {folder!r}: {failed.strerror}") from failed
    _check_templates(root / "templates")
    return Frontend(
        templates=root / "templates", static=root / "static", theme=root / "themes" / theme, robots=rules
    )


def builtin_frontend(theme: str = DEFAULT_THEME) -> Frontend:
    """The look that comes with dextwist: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    root = package if (package / "templates").is_dir() else package.parent
    return Frontend(
        templates=root / "templates",
        static=root / "static",
        theme=root / "static" / "themes" / theme,
        robots=(root / "static" / "robots.txt").read_bytes(),
    )


def _check_templates(folder: Path) -> None:
    present = {path.name for path in folder.glob("*.html") if path.is_file()}
    if not folder.is_dir():
        raise FrontendError(f"cannot read template dir {str(folder)!r}: no such folder")
    if not present:
        raise FrontendError(f"no files in template dir {str(folder)!r}")
    missing = [name for name in REQUIRED_TEMPLATES if name not in present]
    if missing:
        raise FrontendError(f"missing template(s): [{', '.join(missing)}] in template dir {str(folder)!r}")


@attrs.frozen
class Asset:
    """One file, ready to be sent."""

    body: bytes = attrs.field(repr=False)
    content_type: str
    etag: str


@attrs.frozen
class Assets:
    """The files below a folder, kept in memory; none where there is no such folder.

    Making one reads them all, and raises FrontendError where one cannot be read.
    """

    root: Path
    _files: Mapping[str, Asset] = attrs.field(init=False, repr=False)

    @_files.default
    def _read_files(self) -> Mapping[str, Asset]:
        try:
            root = self.root.resolve()
            return {name: _asset(name, path) for name, path in _files_below(root, root, "", frozenset())}
        except (OSError, RuntimeError) as failed:  # RuntimeError: a link that leads to itself
            raise FrontendError(f"cannot read the files in {str(self.root)!r}: {failed}") from failed

    def read(self, path: str) -> Asset | None:
        """The file of exactly this name, relative to the root, percent-decoded: `img/ldap-icon.svg`."""
        return self._files.get(path)

    def answer(self, request: Request, path: str) -> Response:
        """The answer to a request for the file. For HEAD too: whoever sends it leaves the body out."""
        asset = self.read(path)
        if asset is None:
            return Response(404, (("Content-Type", "text/plain; charset=utf-8"),), b"404 page not found\n")
        headers = (("ETag", asset.etag), ("Cache-Control", "public, max-age=3600"))
        if _is_known(asset.etag, request.headers.get("if-none-match", ())):
            return Response(304, headers)
        return Response(200, (("Content-Type", asset.content_type), *headers), asset.body)


def _files_below(folder: Path, root: Path, prefix: str, above: frozenset[Path]) -> Iterator[tuple[str, Path]]:
    """The files below a folder, by their names for the browser.

    Links are followed inside the root, since Kubernetes mounts every file as one; not out of it, and
    not back up. Names that begin with a dot are not for the public.
    """
    if not folder.is_dir():
        return
    above |= {folder}
    for entry in sorted(folder.iterdir()):
        real = entry.resolve()
        if entry.name.startswith(".") or not real.is_relative_to(root) or real in above:
            continue
        if real.is_file():
            yield prefix + entry.name, real
        else:
            yield from _files_below(real, root, f"{prefix}{entry.name}/", above)


def _asset(name: str, path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(
        body=body,
        content_type=CONTENT_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream"),
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    )


def _is_known(etag: str, if_none_match: Sequence[str]) -> bool:
    """Whether the browser has this version already (RFC 9110 §13.1.2, the weak comparison)."""
    tags = [tag.strip().removeprefix("W/") for line in if_none_match for tag in line.split(",")]
    return etag in tags or "*" in tags
