"""How control asks a Keystone: the settings of it, checked before anything starts."""

import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

import click

from fairlead.api.login.keystone_session import Service

_NEEDED = ("url", "user", "password")
_VERSION = "/v3"


def service_from(settings: Mapping[str, str | None]) -> Service | None:
    """The service that the settings name; None unless there are all that it needs. Raises click's usage error for a
    setting that could serve nobody.
    """
    found = {name: settings[f"keystone_{name}"] for name in (*_NEEDED, "project", "domain", "ca")}
    url, user, password = (found[name] for name in _NEEDED)
    if not url or not user or not password:
        return None
    return Service(
        _root(url),
        user,
        password,
        found["project"] or "",
        found["domain"] or "",
        _trust(found["ca"]) if url.lower().startswith("https:") else None,
    )


def _root(text: str) -> str:
    """The URL of version 3, whether or not it was given with the version, as clients have it."""
    url = _split(text)
    if url is None or url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
        raise click.UsageError(f"--keystone-url {text} is not a URL such as http://keystone:5000/v3.")
    if url.username is not None:
        # It goes into answers, logs and messages.
        raise click.UsageError(
            "--keystone-url takes no name and password: --keystone-user and --keystone-password are for them."
        )
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/').removesuffix(_VERSION)}{_VERSION}"


def _split(text: str) -> SplitResult | None:
    """None for what is no URL at all."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    is_plain = text.isascii() and text.isprintable() and " " not in text and '"' not in text
    return url if is_plain else None


def _trust(path: str | None) -> ssl.SSLContext:
    """Whose certificates are believed: of the authorities in that file, else of this machine's own."""
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise click.UsageError(
            f"Cannot read certificates of --keystone-ca {path}: {error}. It takes a file of PEM."
        ) from error
