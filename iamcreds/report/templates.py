"""The environment of the templates; pure."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from iamcreds.text.escaping import escape_invisible


def load_environment(package: str) -> Environment:
    """Return an environment for the templates of a package, which always shows values as text."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        finalize=_show,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _show(value: object) -> object:
    """Return a value without characters that hide or reverse text, and without those that XML does not allow."""
    return escape_invisible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def read_inline(package: str, name: str) -> Markup:
    """Read a style or script of a package, which a document includes unchanged."""
    text = resources.files(package).joinpath("templates", name).read_text("utf-8")
    return Markup(text)  # noqa: S704 - our own style and script
