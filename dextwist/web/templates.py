"""Templates: Jinja2 with everything escaped, compiled when the server starts, and their helpers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import jinja2

from dextwist.web.assets import Frontend, FrontendError, builtin_frontend

#: Pages that dex has no template for: an operator's folder without them gets the built-in ones.
OPTIONAL_TEMPLATES = ("form_post.html",)


@attrs.frozen(kw_only=True)
class Templates:
    """The templates of a frontend.

    Making one compiles them all, and raises FrontendError where one is not a template. A name that no
    data has is an error when the page is made, not an empty place: StrictUndefined.
    """

    frontend: Frontend
    issuer_path: str
    issuer_name: str
    logo_url: str
    extra: Mapping[str, str]
    _compiled: Mapping[str, jinja2.Template] = attrs.field(init=False, repr=False)

    @_compiled.default
    def _compile(self) -> Mapping[str, jinja2.Template]:
        folder = self.frontend.templates
        compiled = self._compile_all(folder, sorted(path.name for path in folder.glob("*.html")))
        absent = [name for name in OPTIONAL_TEMPLATES if name not in compiled]
        return compiled | self._compile_all(builtin_frontend().templates, absent) if absent else compiled

    def _compile_all(self, folder: Path, names: list[str]) -> dict[str, jinja2.Template]:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            cache_size=-1,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals |= self._helpers()
        compiled = {}
        for name in names:
            try:
                compiled[name] = environment.get_template(name)
            except jinja2.TemplateSyntaxError as failed:
                raise FrontendError(f"template {name}, line {failed.lineno}: {failed.message}") from failed
            except (OSError, UnicodeDecodeError) as failed:
                raise FrontendError(f"template {name} cannot be read: {failed}") from failed
        return compiled

    def _helpers(self) -> Mapping[str, Callable[..., str]]:
        return {
            "issuer": lambda: self.issuer_name,
            "logo": lambda: self.logo_url,
            "extra": lambda key: self.extra.get(key, ""),
            "url": lambda request_path, asset: relative_url(self.issuer_path, request_path, asset),
            "asset": lambda asset: absolute_path(self.issuer_path, asset),
        }

    def render(self, template: str, *, request_path: str, data: Mapping[str, object]) -> str:
        """The page. Whatever a template raises is raised: the templates may be an operator's."""
        return self._compiled[template].render({"ReqPath": request_path, **data})


def relative_url(issuer_path: str, request_path: str, asset: str) -> str:
    """An asset's address relative to the requested page; one with a scheme stays as it is."""
    if urlsplit(asset).scheme:
        return asset
    issuer, request, wanted = (_segments(path) for path in (issuer_path, request_path, asset))
    request = request[_common(issuer, request) :]
    if issuer and not request:
        wanted = issuer + wanted
    shared = _common(wanted, request)
    return "/".join([".."] * (len(request) - shared - 1) + wanted[shared:])


def absolute_path(issuer_path: str, asset: str) -> str:
    """An asset's address from the root of the host, right on every page; one with a scheme stays as it is."""
    return asset if urlsplit(asset).scheme else f"{issuer_path.rstrip('/')}/{asset.lstrip('/')}"


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _common(one: list[str], other: list[str]) -> int:
    """How many leading segments are the same."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
