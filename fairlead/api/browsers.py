"""What keeps the pages of other sites out while there are no logins: reaching loopback is all they would need.

A page can send requests here in three ways, and each is refused: as another origin (its Origin says so), as the
same origin under a name of its own that it let lead to loopback (DNS rebinding: its Host says so), and as a form
or a plain text, which a browser sends without asking first (the Fetch standard's safelisted media types).
Clients that are no browsers send no Origin, the name they were given, and what a body is.
"""

import re
from ipaddress import ip_address

from starlette.requests import Request

from fairlead.api.problems import Unserved
from fairlead.model.errors import NotAllowed

_AUTHORITY = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[^:\[\]]+)(?::[0-9]{1,5})?")


def refuse_other_origins(request: Request) -> None:
    """Raises NotAllowed for what a browser sends on behalf of another site's page."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise NotAllowed("Requests of other sites' pages are refused: their Origin is not this server.")


def refuse_other_names(request: Request) -> None:
    """Raises NotAllowed unless the Host means loopback or is the address that was connected to; a client of
    HTTP/1.0 may say none, a browser never does.
    """
    host = request.headers.get("host")
    if host is None or _means_us(host, request.scope.get("server")):
        return
    raise NotAllowed(
        f"This control asks for no logins, so it serves loopback alone and not the name {host[:80]!r}. "
        "Ask it as 127.0.0.1 or localhost; a proxy in front of it must pass such a Host on."
    )


def check_media_type(request: Request, accepted: tuple[str, ...]) -> None:
    """Raises Unserved 415 unless the body says that it is one of these."""
    given = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if given in accepted:
        return
    headers = {"Accept-Patch": ", ".join(accepted)} if request.method == "PATCH" else {}
    said = f"not {given[:80]}" if given else "and says so"
    message = f"A body is {' or '.join(accepted)} here, {said}: set Content-Type."
    raise Unserved(415, "wrong_media_type", message, headers)


def _means_us(host: str, server: tuple[str, int | None] | None) -> bool:
    found = _AUTHORITY.fullmatch(host)
    name = found["name"].strip("[]").lower() if found else ""
    try:
        is_loopback = name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        is_loopback = False
    return is_loopback or (server is not None and name == server[0])
